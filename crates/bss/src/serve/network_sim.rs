//! Role `network-sim`: the demonstration's network, on loopback, which can be told to misbehave.

use bss_load::network_sim::NetworkSim;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::Serving;

/// Starts the simulator.
pub fn start(serving: &Serving, listener: TcpListener, tasks: &mut JoinSet<()>) {
    let part = serving.ops.readiness.register("network-sim");
    let stop = serving.stop.clone();
    tasks.spawn(async move {
        part.ready();
        let router = NetworkSim::default().router();
        let served = axum::serve(listener, router).with_graceful_shutdown(stop.clone().cancelled_owned());
        // Requests that were told to hang never end: they are cut off with the process.
        tokio::select! {
            done = served => if let Err(error) = done {
                tracing::error!(%error, "the network simulator ended");
            },
            () = stop.cancelled() => {}
        }
    });
}
