//! What the binding needs of Node beyond N-API's values.

pub(super) mod pool;
#[cfg(unix)]
pub(super) mod uv;
