//! Jobs for the threads of libuv's pool.

use std::sync::Arc;

use napi::bindgen_prelude::AsyncTask;
use napi::{Env, Result, Task};

use crate::jobs::{Job, Work};

/// A job as N-API knows it; its result is called for by those who have the job as well.
pub struct Pooled<W: Work>(Arc<Job<W>>);

impl<W> Task for Pooled<W>
where
    W: Work + Send + 'static,
    W::Done: Send + 'static,
{
    type Output = ();
    type JsValue = ();

    fn compute(&mut self) -> Result<()> {
        self.0.run();
        Ok(())
    }

    fn resolve(&mut self, _: Env, (): ()) -> Result<()> {
        Ok(())
    }
}

/// Has a thread of the pool do it. The promise is fulfilled when it is done.
pub(in crate::binding) fn start<W>(job: &Arc<Job<W>>) -> AsyncTask<Pooled<W>>
where
    W: Work + Send + 'static,
    W::Done: Send + 'static,
{
    AsyncTask::new(Pooled(Arc::clone(job)))
}
