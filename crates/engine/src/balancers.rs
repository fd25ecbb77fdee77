//! How does the data plane learn of the load balancers?

use std::sync::Arc;

use crate::Engine;

impl Engine {
    /// Publishes the load balancers of the configuration. They stay: whatever is published later begins with
    /// the table that is there, and services are looked up when a request comes.
    pub(crate) async fn publish_balancers(&self) {
        let _turn = self.0.publishing.lock().await;
        let balancers = Arc::new(self.0.config.balancers.clone());
        self.0.table.store(Arc::new(self.0.table.load().with_balancers(balancers)));
    }
}
