//! Locks and atomics: those of the standard library, or loom's, which tries every order of their use.

#[cfg(not(loom))]
pub(super) use std::sync::{Mutex, MutexGuard};

#[cfg(loom)]
pub(super) use loom::sync::{Mutex, MutexGuard};

/// Locks a mutex. A panic while it was held was reported where it happened, and the reactor's sockets were ended then; what
/// the mutex protects is state of connections, not of memory.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
