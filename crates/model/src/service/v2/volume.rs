//! How does v2 spell a volume?
//!
//! A Cloud Storage bucket is a CSI driver in v1, and a Cloud SQL connection is an annotation of the
//! template there.

use super::template_wide::TemplateWide;
use crate::field::Setting as _;
use crate::message::{message, message_field};
use crate::service::values::{Medium, V2};
use crate::service::volume::{Csi, EmptyDir, Filestore, KeyToPath, Nfs, SecretVolume, Volume};

/// The driver of Cloud Storage volumes in v1.
const STORAGE_DRIVER: &str = "gcsfuse.run.googleapis.com";

/// The name that the volume of Cloud SQL connections must have.
pub(super) const CLOUDSQL: &str = "cloudsql";

message! {
    /// A volume.
    pub(super) struct VolumeV2 {
        /// Its name.
        name: Option<String>,
        /// Files from versions of a secret.
        secret: Option<SecretVolumeV2>,
        /// Connections to Cloud SQL.
        cloud_sql_instance: Option<CloudSqlV2>,
        /// An empty directory.
        empty_dir: Option<EmptyDirV2>,
        /// An NFS share.
        nfs: Option<Nfs>,
        /// A Cloud Storage bucket.
        gcs: Option<GcsV2>,
        /// A Filestore share.
        filestore: Option<Filestore>,
    }
}

message! {
    /// Files from versions of a secret.
    pub(super) struct SecretVolumeV2 {
        /// The secret.
        secret: Option<String>,
        /// Which version appears as which file.
        items: Vec<VersionToPathV2>,
        /// The mode of the files.
        default_mode: Option<i32>,
    }
}

message! {
    /// A version as a file.
    pub(super) struct VersionToPathV2 {
        /// The path.
        path: Option<String>,
        /// The version.
        version: Option<String>,
        /// The mode.
        mode: Option<i32>,
    }
}

message! {
    /// Connections to Cloud SQL.
    pub(super) struct CloudSqlV2 {
        /// The instances: `project:location:instance`.
        instances: Vec<String>,
    }
}

message! {
    /// An empty directory.
    pub(super) struct EmptyDirV2 {
        /// `MEMORY` or `DISK`.
        medium: Option<V2<Medium>>,
        /// How much it may hold.
        size_limit: Option<String>,
    }
}

message! {
    /// A Cloud Storage bucket.
    pub(super) struct GcsV2 {
        /// The bucket.
        bucket: Option<String>,
        /// Whether containers may only read.
        read_only: Option<bool>,
        /// Options of gcsfuse.
        mount_options: Vec<String>,
    }
}

message_field!(SecretVolumeV2, CloudSqlV2, EmptyDirV2, GcsV2);

impl VolumeV2 {
    /// The volume; connections to Cloud SQL go to `wide` instead.
    pub(super) fn into_volume(self, wide: &mut TemplateWide) -> Option<Volume> {
        if let Some(sql) = self.cloud_sql_instance {
            wide.cloudsql.extend(sql.instances);
            return None;
        }
        Some(Volume {
            name: self.name,
            secret: self.secret.map(|secret| secret.into_secret(wide)),
            empty_dir: self.empty_dir.map(EmptyDirV2::into_empty_dir),
            csi: self.gcs.map(GcsV2::into_csi),
            nfs: self.nfs.map(read_only_if_said),
            filestore: self.filestore,
            config_map: None,
        })
    }

    pub(super) fn of(volume: &Volume, wide: &TemplateWide) -> Self {
        Self {
            name: volume.name.clone(),
            secret: volume.secret.as_ref().map(|secret| SecretVolumeV2::of(secret, wide)),
            cloud_sql_instance: None,
            empty_dir: volume.empty_dir.as_ref().map(EmptyDirV2::of),
            nfs: volume.nfs.clone().map(read_only_if_said),
            gcs: volume.csi.as_ref().map(GcsV2::of),
            filestore: volume.filestore.clone(),
        }
    }

    /// The volume of the connections to Cloud SQL.
    pub(super) fn cloud_sql(instances: Vec<String>) -> Self {
        let cloud_sql_instance = Some(CloudSqlV2 { instances });
        Self { name: Some(CLOUDSQL.to_owned()), cloud_sql_instance, ..Self::default() }
    }
}

/// Proto3 cannot tell false from unset: clients leave it out or send it, and mean the same.
fn read_only_if_said(nfs: Nfs) -> Nfs {
    Nfs { read_only: nfs.read_only.filter(|only| *only), ..nfs }
}

impl SecretVolumeV2 {
    fn into_secret(self, wide: &mut TemplateWide) -> SecretVolume {
        let item = |item: VersionToPathV2| KeyToPath {
            key: item.version,
            path: item.path,
            mode: item.mode.filter(|mode| *mode != 0),
        };
        SecretVolume {
            secret_name: self.secret.map(|secret| wide.secrets.alias(secret)),
            items: self.items.into_iter().map(item).collect(),
            default_mode: self.default_mode.filter(|mode| *mode != 0),
            optional: None,
        }
    }

    fn of(secret: &SecretVolume, wide: &TemplateWide) -> Self {
        let item = |item: &KeyToPath| VersionToPathV2 {
            path: item.path.clone(),
            version: item.key.clone(),
            mode: item.mode.filter(|mode| *mode != 0),
        };
        Self {
            secret: secret.secret_name.as_deref().map(|name| wide.secrets.secret(name)),
            items: secret.items.iter().map(item).collect(),
            default_mode: secret.default_mode.filter(|mode| *mode != 0),
        }
    }
}

impl EmptyDirV2 {
    fn into_empty_dir(self) -> EmptyDir {
        EmptyDir { medium: self.medium.map(|V2(medium)| medium.to_text()), size_limit: self.size_limit }
    }

    fn of(directory: &EmptyDir) -> Self {
        let medium = directory.medium.as_deref().and_then(|medium| Medium::from_text(medium).ok()).map(V2);
        Self { medium, size_limit: directory.size_limit.clone() }
    }
}

impl GcsV2 {
    fn into_csi(self) -> Csi {
        let bucket = self.bucket.map(|bucket| ("bucketName".to_owned(), bucket));
        let options = (!self.mount_options.is_empty())
            .then(|| ("mountOptions".to_owned(), self.mount_options.join(",")));
        Csi {
            driver: Some(STORAGE_DRIVER.to_owned()),
            read_only: self.read_only.filter(|only| *only),
            volume_attributes: bucket.into_iter().chain(options).collect(),
        }
    }

    fn of(csi: &Csi) -> Self {
        let options = csi.volume_attributes.get("mountOptions").map(String::as_str).unwrap_or_default();
        Self {
            bucket: csi.volume_attributes.get("bucketName").cloned(),
            read_only: csi.read_only.filter(|only| *only),
            mount_options: options
                .split(',')
                .filter(|option| !option.is_empty())
                .map(str::to_owned)
                .collect(),
        }
    }
}
