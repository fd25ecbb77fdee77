//! What is a volume, and where does its content come from?

use std::collections::BTreeMap;

use crate::message::{Kept, message, message_field};

message! {
    /// A volume of a revision: exactly one source.
    pub struct Volume {
        /// Its name, unique in the revision.
        name: Option<String>,
        /// Files from versions of a secret.
        secret: Option<SecretVolume>,
        /// An empty directory in memory or on disk.
        empty_dir: Option<EmptyDir>,
        /// A Cloud Storage bucket.
        csi: Option<Csi>,
        /// An NFS share.
        nfs: Option<Nfs>,
        /// A Filestore share; kept, without effect.
        filestore: Option<Filestore>,
        /// Not supported by Cloud Run; kept, without effect.
        config_map: Option<Kept>,
    }
}

message! {
    /// Files from versions of a secret.
    pub struct SecretVolume {
        /// The name of the secret.
        secret_name: Option<String>,
        /// Which version appears as which file.
        items: Vec<KeyToPath>,
        /// The mode of the files.
        default_mode: Option<i32>,
        /// Whether the secret may be missing.
        optional: Option<bool>,
    }
}

message! {
    /// A version of a secret as a file.
    pub struct KeyToPath {
        /// The version.
        key: Option<String>,
        /// The relative path of the file.
        path: Option<String>,
        /// The mode of the file.
        mode: Option<i32>,
    }
}

message! {
    /// An empty directory.
    pub struct EmptyDir {
        /// `Memory` or `DISK`.
        medium: Option<String>,
        /// How much it may hold.
        size_limit: Option<String>,
    }
}

message! {
    /// A volume of a driver.
    pub struct Csi {
        /// The driver.
        driver: Option<String>,
        /// Whether containers may write.
        read_only: Option<bool>,
        /// What the driver is told.
        volume_attributes: BTreeMap<String, String>,
    }
}

message! {
    /// An NFS share.
    pub struct Nfs {
        /// The server.
        server: Option<String>,
        /// The path on the server.
        path: Option<String>,
        /// Whether containers may write.
        read_only: Option<bool>,
    }
}

message! {
    /// A Filestore share.
    pub struct Filestore {
        /// The full name of the share.
        volume: Option<String>,
    }
}

message_field!(SecretVolume, EmptyDir, Csi, Nfs, Filestore);

impl Volume {
    /// How many sources are set; a volume has exactly one.
    pub fn sources(&self) -> usize {
        let sources = [
            self.secret.is_some(),
            self.empty_dir.is_some(),
            self.csi.is_some(),
            self.nfs.is_some(),
            self.filestore.is_some(),
            self.config_map.is_some(),
        ];
        sources.iter().filter(|set| **set).count()
    }
}
