//! How does v2 spell what a container is built from?
//!
//! v1 keeps the address of an archive for each container in an annotation; sources that are no archive and
//! the way of a build stand there as v2 spells them.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::message::{Int64, Kept, message, message_field};

message! {
    /// The source of a container: exactly one of them.
    pub(super) struct SourceCodeV2 {
        /// An archive in Cloud Storage.
        cloud_storage_source: Option<CloudStorageSourceV2>,
        /// Files that stand in the message itself.
        inlined_source: Option<InlinedSourceV2>,
    }
}

message! {
    /// An archive in Cloud Storage.
    pub(super) struct CloudStorageSourceV2 {
        /// The bucket.
        bucket: Option<String>,
        /// The object.
        object: Option<String>,
        /// The generation of the object.
        generation: Option<Int64>,
    }
}

message! {
    /// Files.
    pub(super) struct InlinedSourceV2 {
        /// Each file.
        sources: Vec<SourceFileV2>,
    }
}

message! {
    /// A file.
    pub(super) struct SourceFileV2 {
        /// Its name.
        filename: Option<String>,
        /// What it holds.
        content: Option<String>,
    }
}

message! {
    /// How the source of a container is built.
    pub(super) struct BuildConfigurationV2 {
        /// With buildpacks.
        buildpacks_build: Option<BuildpacksBuildV2>,
        /// With a Dockerfile.
        docker_build: Option<Kept>,
        /// Where the image goes.
        image_repository_uri: Option<String>,
        /// The service account of the build.
        service_account: Option<String>,
        /// The tags of the build.
        tags: Vec<String>,
        /// The machine of the build.
        worker_configuration: Option<Kept>,
    }
}

message! {
    /// A build with buildpacks.
    pub(super) struct BuildpacksBuildV2 {
        /// The base image.
        build_base_image_uri: Option<String>,
        /// The image that keeps what the next build can use.
        cache_image_uri: Option<String>,
        /// The environment of the build.
        environment_variables: BTreeMap<String, String>,
    }
}

message_field!(SourceCodeV2, CloudStorageSourceV2, InlinedSourceV2, BuildConfigurationV2, BuildpacksBuildV2);

impl SourceCodeV2 {
    /// What v1 keeps of it: the address of the archive, or the message where it is none.
    pub(super) fn into_v1(self) -> Value {
        let archive = self.cloud_storage_source.as_ref().and_then(|archive| {
            let generation = archive.generation.filter(|Int64(generation)| *generation != 0);
            let generation = generation.map_or_else(String::new, |Int64(number)| format!("#{number}"));
            Some(format!("gs://{}/{}{generation}", archive.bucket.as_ref()?, archive.object.as_ref()?))
        });
        archive.map_or_else(|| serde_json::to_value(&self).unwrap_or_default(), Value::String)
    }

    /// What v2 shows of what v1 keeps; nothing of what is neither.
    pub(super) fn of(kept: &Value) -> Option<Self> {
        let Value::String(address) = kept else { return serde_json::from_value(kept.clone()).ok() };
        let (bucket, object) = address.strip_prefix("gs://")?.split_once('/')?;
        let (object, generation) = match object.rsplit_once('#') {
            Some((object, number)) => (object, Some(Int64(number.parse().ok()?))),
            None => (object, None),
        };
        let archive = CloudStorageSourceV2 {
            bucket: Some(bucket.to_owned()),
            object: Some(object.to_owned()),
            generation,
        };
        Some(Self { cloud_storage_source: Some(archive), inlined_source: None })
    }
}
