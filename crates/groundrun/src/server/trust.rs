//! Which local CA does this emulator have, and where do clients find it?

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use groundrun_identity::{Ca, CaError};
use groundrun_model::Error;
use http::header;
use tempfile::TempDir;

use super::tls::now;
use crate::trust::{Files, PATH, ca_directory};

/// The local CA of an emulator, and its files. Clones are one.
#[derive(Debug, Clone)]
pub(super) struct Trust {
    ca: Ca,
    place: Arc<Mutex<Place>>,
}

/// Where the files are.
#[derive(Debug)]
enum Place {
    /// In the data directory; whether they were written by this process, whose system may have new roots.
    Kept { files: Files, fresh: bool },
    /// Nowhere yet, since nobody asked: an emulator in memory leaves no trace unless it must.
    Nowhere,
    /// In a directory that goes when the emulator stops.
    Passing(TempDir),
}

impl Trust {
    /// The CA of the data directory; without one, a CA that lives as long as the emulator.
    ///
    /// # Errors
    /// As [`Ca::open`].
    pub(super) fn open(data_dir: Option<&Path>) -> Result<Self, CaError> {
        let (ca, place) = match data_dir {
            Some(data_dir) => {
                let files = Files::of_data_dir(data_dir);
                (Ca::open(&ca_directory(data_dir), now())?, Place::Kept { files, fresh: false })
            }
            None => (Ca::in_memory(now()), Place::Nowhere),
        };
        Ok(Self { ca, place: Arc::new(Mutex::new(place)) })
    }

    /// The CA.
    pub(super) fn ca(&self) -> &Ca {
        &self.ca
    }

    /// What answers `/emulator/ca` and `/emulator/ca.pem`.
    pub(super) fn router(&self) -> Router {
        Router::new()
            .route(PATH, get(files))
            .route("/emulator/ca.pem", get(certificate))
            .with_state(self.clone())
    }

    /// Removes the files of an emulator in memory.
    pub(super) fn close(&self) {
        let mut place = self.place.lock().unwrap_or_else(PoisonError::into_inner);
        if let Place::Passing(directory) = std::mem::replace(&mut *place, Place::Nowhere)
            && let Err(problem) = directory.close()
        {
            tracing::debug!(%problem, "the files of the local CA were not removed");
        }
    }

    fn pem(&self) -> io::Result<String> {
        self.ca.pem().map_err(io::Error::other)
    }

    /// Where the files are; they are there when this returns. Writes to disk.
    fn files(&self) -> io::Result<Files> {
        let mut place = self.place.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *place {
            Place::Kept { files, fresh } => {
                if !*fresh {
                    files.write_derived(&self.pem()?, now())?;
                    *fresh = true;
                }
                Ok(files.clone())
            }
            Place::Passing(directory) => Ok(Files::in_directory(directory.path())),
            Place::Nowhere => {
                let directory = tempfile::Builder::new().prefix("groundrun-").tempdir()?;
                let files = Files::in_directory(directory.path());
                std::fs::write(&files.certificate, self.pem()?)?;
                files.write_derived(&self.pem()?, now())?;
                *place = Place::Passing(directory);
                Ok(files)
            }
        }
    }
}

async fn files(State(trust): State<Trust>) -> Response {
    written(move || trust.files(), |files| axum::Json(files).into_response()).await
}

async fn certificate(State(trust): State<Trust>) -> Response {
    let answer = |pem| ([(header::CONTENT_TYPE, "application/x-pem-file")], pem).into_response();
    written(move || trust.pem(), answer).await
}

/// Answers with what is made or written on a thread that may wait.
async fn written<T: Send + 'static>(
    write: impl FnOnce() -> io::Result<T> + Send + 'static,
    answer: impl FnOnce(T) -> Response,
) -> Response {
    let written = tokio::task::spawn_blocking(write).await;
    match written.map_err(io::Error::other).flatten() {
        Ok(value) => answer(value),
        Err(problem) => groundrun_api::refusal(&Error::internal(format!(
            "The certificates for clients cannot be written: {problem}."
        ))),
    }
}
