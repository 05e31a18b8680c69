//! Events as rows of numbers, in memory that JavaScript has lent.

pub(super) mod row;
#[cfg(unix)]
pub(super) mod shared_memory;
pub(super) mod values;
#[cfg(unix)]
pub(super) mod writer;
