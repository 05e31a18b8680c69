//! Things of this thread that JavaScript knows by number.

/// Values by id; ids of removed ones are used again.
pub(super) struct Slots<T> {
    slots: Vec<Option<T>>,
    free: Vec<u32>,
}

impl<T> Slots<T> {
    pub(super) const fn new() -> Self {
        Self { slots: Vec::new(), free: Vec::new() }
    }

    /// Gives a value an id.
    pub(super) fn add(&mut self, value: T) -> u32 {
        if let Some(id) = self.free.pop() {
            self.slots[id as usize] = Some(value);
            id
        } else {
            self.slots.push(Some(value));
            self.slots.len() as u32 - 1
        }
    }

    /// The place of an id, empty when its value was removed; `None` for a number that never was one.
    pub(super) fn place(&mut self, id: u32) -> Option<&mut Option<T>> {
        self.slots.get_mut(id as usize)
    }

    pub(super) fn get_mut(&mut self, id: u32) -> Option<&mut T> {
        self.place(id)?.as_mut()
    }

    /// Removes a value; the id must not be used any more.
    pub(super) fn remove(&mut self, id: u32) {
        if self.place(id).is_some_and(|place| place.take().is_some()) {
            self.free.push(id);
        }
    }

    /// All values, in no particular order.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.slots.iter_mut().flatten()
    }

    /// The number of values.
    pub(super) fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }
}
