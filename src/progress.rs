//! `Progress`: what a run is doing right now, for people. Bars on a terminal's standard error, silence elsewhere.

use std::{sync::Arc, time::Duration};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

/// Where stages say what they are doing. Cheap to clone, safe to share between threads.
pub trait Progress: Send + Sync {
    /// A stage begins; `total` is in bytes, when it is known. The stage ends when the returned task is dropped.
    fn start(&self, label: &str, total: Option<u64>) -> Box<dyn Task>;
}

/// One running stage.
pub trait Task: Send + Sync {
    /// `amount` more bytes are done.
    fn advance(&self, amount: u64);
    /// Shows what the stage is waiting for.
    fn message(&self, text: &str);
}

/// A shared [`Progress`].
pub type SharedProgress = Arc<dyn Progress>;

/// Says nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {
    fn start(&self, _label: &str, _total: Option<u64>) -> Box<dyn Task> {
        Box::new(Self)
    }
}

impl Task for Silent {
    fn advance(&self, _amount: u64) {}
    fn message(&self, _text: &str) {}
}

/// Bars on standard error.
#[derive(Debug, Clone, Default)]
pub struct Bars(MultiProgress);

impl Progress for Bars {
    fn start(&self, label: &str, total: Option<u64>) -> Box<dyn Task> {
        // Everything is settled before the bar is added, because it is drawn at once.
        let bar = ProgressBar::hidden();
        if let Some(total) = total {
            bar.set_length(total);
        }
        let template =
            if total.is_some() { "{spinner} {prefix:<12} {bytes}/{total_bytes} {wide_msg}" } else { "{spinner} {prefix:<12} {wide_msg}" };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_prefix(label.to_owned());
        let bar = self.0.add(bar);
        bar.enable_steady_tick(Duration::from_millis(120));
        Box::new(Bar(bar))
    }
}

struct Bar(ProgressBar);

impl Task for Bar {
    fn advance(&self, amount: u64) {
        self.0.inc(amount);
    }

    fn message(&self, text: &str) {
        self.0.set_message(text.to_owned());
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
