//! A run as a file: the pieces that `ExportRun` gives, passed on as they come.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use futures::{StreamExt as _, stream};
use proto::reconcile::v1::ExportRunRequest;
use proto::reconcile::v1::export_run_request::Format;
use proto::reconcile::v1::reconcile_service_server::ReconcileService as _;
use tokio::sync::Semaphore;
use tonic::{Request, Status};
use uuid::Uuid;

use crate::api::Api;

/// Files made at once.
const FILES_AT_ONCE: usize = 2;

/// How long a file may take to its last byte; a reader that stops reading holds a place no longer.
const FILE_TIME: Duration = Duration::from_mins(5);

/// Longest name of a file.
const MAX_NAME_CHARS: usize = 100;

/// Makes files, a few at once.
#[derive(Clone, Debug)]
pub(super) struct Files {
    api: Api,
    places: Arc<Semaphore>,
}

impl Files {
    pub(super) fn new(api: Api) -> Self {
        Self { api, places: Arc::new(Semaphore::new(FILES_AT_ONCE)) }
    }

    /// The file of a run, or why there is none; `RESOURCE_EXHAUSTED` when too many are being made.
    pub(super) async fn file(&self, id: Uuid, format: Format) -> Result<Response, Status> {
        let place = Arc::clone(&self.places)
            .try_acquire_owned()
            .map_err(|_| Status::resource_exhausted("too many files are being made"))?;
        let request = ExportRunRequest { name: format!("runs/{id}"), format: format.into() };
        let mut pieces = self.api.export_run(Request::new(request)).await?.into_inner();
        // What is wrong is told with the first piece, while the answer can still say so.
        let first = pieces.next().await.transpose()?.unwrap_or_default();
        let name = HeaderValue::from_str(&format!("attachment; filename=\"{}\"", plain_name(&first.file_name, format)))
            .map_err(|_| Status::internal("a file without a name"))?;
        let rest = pieces.map(move |piece| {
            let _until_the_end = &place;
            piece.map(|piece| Bytes::from(piece.chunk))
        });
        let whole = stream::once(async move { Ok(Bytes::from(first.chunk)) }).chain(rest);
        // A connection that breaks off is an error at the reader's, who must not take half a file for a whole one.
        let late = stream::once(async {
            tokio::time::sleep(FILE_TIME).await;
            Err(Status::deadline_exceeded("the file took too long"))
        });
        let body = Body::from_stream(until_late(whole, late));
        let headers = [
            (header::CONTENT_TYPE, HeaderValue::from_static(media_type(format))),
            (header::CONTENT_DISPOSITION, name),
            (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
            (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        ];
        Ok((headers, body).into_response())
    }
}

/// `pieces`, ended by the error of `late` when it comes first.
fn until_late(
    pieces: impl stream::Stream<Item = Result<Bytes, Status>> + Send + 'static,
    late: impl stream::Stream<Item = Result<Bytes, Status>> + Send + 'static,
) -> impl stream::Stream<Item = Result<Bytes, Status>> + Send + 'static {
    let ended = pieces.map(Some).chain(stream::once(async { None }));
    stream::select(ended, late.map(Some)).scan(false, |over, piece| {
        let piece = if *over { None } else { piece };
        *over = piece.as_ref().is_none_or(Result::is_err);
        std::future::ready(piece)
    })
}

/// Only what needs no quoting in a header.
fn plain_name(name: &str, format: Format) -> String {
    let plain = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let name: String = name.chars().filter(plain).take(MAX_NAME_CHARS).collect();
    if name.is_empty() { format!("run.{}", extension(format)) } else { name }
}

/// The form that a link's ending asks for.
pub(super) fn form(ending: &str) -> Option<Format> {
    [Format::Xlsx, Format::Csv, Format::Json].into_iter().find(|format| extension(*format) == ending)
}

const fn extension(format: Format) -> &'static str {
    match format {
        Format::Unspecified => "",
        Format::Xlsx => "xlsx",
        Format::Csv => "csv",
        Format::Json => "json",
    }
}

const fn media_type(format: Format) -> &'static str {
    match format {
        Format::Unspecified => "application/octet-stream",
        Format::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        Format::Csv => "text/csv; charset=utf-8",
        Format::Json => "application/json",
    }
}
