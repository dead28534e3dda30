use proto::reconcile::v1::reconcile_service_client::ReconcileServiceClient;
use svc_kit::grpc;
use tonic::transport::Channel;

/// Where reconcile-svc is.
#[derive(Debug, clap::Args)]
pub(super) struct ConnectionArgs {
    /// reconcile-svc, `http://host:port`.
    #[arg(long, env, global = true, default_value = "http://127.0.0.1:50053")]
    reconcile_url: String,
}

/// The API. Reading asks nobody who is calling.
pub(super) struct Connection {
    pub(super) runs: ReconcileServiceClient<Channel>,
}

impl ConnectionArgs {
    /// Connects at the first call.
    pub(super) fn open(&self) -> anyhow::Result<Connection> {
        Ok(Connection { runs: ReconcileServiceClient::new(grpc::channel(&self.reconcile_url)?) })
    }
}
