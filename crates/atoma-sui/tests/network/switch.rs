//! An address behind which the node changes, like a load balancer.

use std::net::SocketAddr;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// A TCP proxy that forwards to one node at a time.
pub(crate) struct Switch {
    pub(crate) url: String,
    target: watch::Sender<SocketAddr>,
}

impl Switch {
    pub(crate) async fn to(url: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let own = format!("http://{}", listener.local_addr().unwrap());
        let (target, targets) = watch::channel(address(url));
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let mut targets = targets.clone();
                tokio::spawn(async move {
                    let current = *targets.borrow_and_update();
                    let Ok(mut node) = TcpStream::connect(current).await else {
                        return;
                    };
                    tokio::select! {
                        _ = copy_bidirectional(&mut client, &mut node) => {}
                        _ = targets.changed() => {}
                    }
                });
            }
        });
        Self { url: own, target }
    }

    /// Forwards to another node, and cuts the connections to the previous one.
    pub(crate) fn set(&self, url: &str) {
        self.target.send_replace(address(url));
    }
}

fn address(url: &str) -> SocketAddr {
    url.strip_prefix("http://").unwrap().parse().unwrap()
}
