//! Building the process: merchants, provider clients, servers.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::Context as _;
use merchants::Merchants;
use proto::gateway::v1::{
    payment_gateway_server::{self, PaymentGatewayServer},
    wechat_tools_server::{self, WechatToolsServer},
};
use svc_kit::{
    admin::{self, Readiness},
    clock::Clock,
    grpc::{self, Limits},
    listen,
    metrics::Metrics,
    process::Tasks,
};
use tonic::service::Routes;

use crate::{
    Config,
    api::Api,
    calls::Calls,
    metrics::{GatewayMetrics, HostMetrics, ReportMetrics},
    providers::Providers,
};

/// Largest request; the longest is a prepay with goods, which may come to 6000 bytes as WeChat's JSON.
const REQUEST_BYTES: usize = 16 * 1024;

/// Requests at once over all merchants; each waits for a provider, so this is more than a server's usual limit.
const REQUESTS_IN_FLIGHT: usize = 1024;

/// Longest time until an answer begins: more than any call to a provider is given, a bill's first byte included.
const REQUEST_TIME: Duration = Duration::from_secs(65);

/// pay-gateway at work. It ends with the tasks it was started on.
#[derive(Clone, Debug)]
pub struct App {
    /// Where gRPC is served, with the real port.
    pub grpc: SocketAddr,
    /// Where the admin pages are served, with the real port.
    pub admin: SocketAddr,
}

impl App {
    /// Starts everything on `tasks`, with the clock that the settings name.
    ///
    /// # Errors
    /// A wrong setting, a mistake in the merchants directory, a port that is taken; one line each.
    pub async fn start(config: &Config, tasks: &Tasks) -> anyhow::Result<App> {
        let clock = Clock::start(&config.clock, tasks).await?;
        App::start_at(config, clock, Clock::system(), tasks).await
    }

    /// Starts everything on `tasks`, with the given clock of the business, and a clock of the real time.
    ///
    /// # Errors
    /// See [`App::start`].
    pub async fn start_at(config: &Config, clock: Clock, real: Clock, tasks: &Tasks) -> anyhow::Result<App> {
        config.check()?;
        let (metrics, readiness) = (Metrics::new(), Readiness::new());
        clock.show(&metrics);
        let merchants_part = readiness.part("merchants");
        let serving = readiness.part("grpc");
        let merchants = Merchants::load(&config.merchants_dir)
            .with_context(|| format!("cannot use MERCHANTS_DIR {}", config.merchants_dir.display()))?;
        metrics.with_registry(|registry| merchants.register(registry));
        merchants_part.ready();
        readiness.until(tasks.stop());

        let (hosts, reports) = (HostMetrics::register(&metrics), ReportMetrics::register(&metrics));
        let calls = Arc::new(Calls::new(GatewayMetrics::register(&metrics)));
        let api = Api {
            merchants: merchants.clone(),
            providers: Arc::new(Providers::new(config, clock.clone(), &hosts, reports, tasks)?),
            calls: Arc::clone(&calls),
            clock,
            real,
            provider_timeout: config.provider_timeout(),
            stop: tasks.stop(),
        };

        let admin = admin::start(config.admin_listen, readiness.clone(), metrics.clone(), tasks).await?;
        let listener = listen::bind("grpc", config.listen).await?;
        let grpc = listener.local_addr().context("cannot read the address of the grpc listener")?;
        let served = grpc::Api {
            routes: Routes::new(PaymentGatewayServer::new(api.clone())).add_service(WechatToolsServer::new(api)),
            services: &[payment_gateway_server::SERVICE_NAME, wechat_tools_server::SERVICE_NAME],
            descriptors: proto::FILE_DESCRIPTOR_SET,
            readiness,
            metrics,
            limits: Limits {
                request_bytes: REQUEST_BYTES,
                requests_in_flight: REQUESTS_IN_FLIGHT,
                request_time: REQUEST_TIME,
            },
        };
        let stop = tasks.stop();
        tasks.spawn("grpc", async move {
            grpc::serve(listener, served, stop).await?;
            // Calls whose callers have left are finished too: what they did must be counted.
            calls.finished().await;
            Ok(())
        });
        serving.ready();
        let stop = tasks.stop();
        tasks.spawn("merchants", async move {
            merchants.watch(stop).await;
            Ok(())
        });
        Ok(App { grpc, admin })
    }
}
