//! A receiver for tests.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use atoma_domain::DeliveryId;
use atoma_domain::alarms::{AlarmEvent, Notification, Receiver, Severity};
use atoma_domain::ports::{Notifier, NotifyError};

/// A receiver that keeps what it is told, and refuses as it is scripted.
#[derive(Debug)]
pub(crate) struct Scripted {
    receiver: Receiver,
    answers: Mutex<VecDeque<NotifyError>>,
    told: Mutex<Vec<(Option<DeliveryId>, Notification)>>,
}

impl Scripted {
    pub(crate) fn new(name: &str, min_severity: Severity) -> Arc<Self> {
        Arc::new(Self {
            receiver: Receiver {
                name: name.to_owned(),
                min_severity,
            },
            answers: Mutex::default(),
            told: Mutex::default(),
        })
    }

    /// Refuses the next messages.
    pub(crate) fn refuse(&self, answers: impl IntoIterator<Item = NotifyError>) {
        self.answers.lock().unwrap().extend(answers);
    }

    /// What it was told since the last look.
    pub(crate) fn take(&self) -> Vec<(Option<DeliveryId>, Notification)> {
        std::mem::take(&mut self.told.lock().unwrap())
    }

    /// The same in short: what each message said.
    pub(crate) fn events(&self) -> Vec<AlarmEvent> {
        self.take()
            .into_iter()
            .map(|(_, told)| told.event)
            .collect()
    }
}

#[async_trait]
impl Notifier for Scripted {
    fn receiver(&self) -> &Receiver {
        &self.receiver
    }

    async fn notify(
        &self,
        notification: &Notification,
        delivery: Option<DeliveryId>,
    ) -> Result<(), NotifyError> {
        let mut told = self.told.lock().unwrap();
        told.push((delivery, notification.clone()));
        match self.answers.lock().unwrap().pop_front() {
            Some(refusal) => Err(refusal),
            None => Ok(()),
        }
    }
}
