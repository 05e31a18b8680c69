//! Values that are known by number on both sides of a border: sockets, listeners, receivers, compressors.
//!
//! An id is an index in its low bits and, above them, how often that index was used before. So the id of a value that was
//! removed does not mean the next value at that index. Ids are 32-bit numbers, which JavaScript holds without allocating.

const INDEX_BITS: u32 = 22;
const INDEX_MASK: u32 = (1 << INDEX_BITS) - 1;

/// The id of a value in a [`Slots`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct SlotId(u32);

impl SlotId {
    pub(crate) const fn from_raw(raw: u32) -> Self {
        Self(raw)
    }

    pub(crate) const fn raw(self) -> u32 {
        self.0
    }

    pub(crate) const fn index(self) -> usize {
        (self.0 & INDEX_MASK) as usize
    }

    const fn new(index: usize, generation: u32) -> Self {
        Self(index as u32 | generation << INDEX_BITS)
    }

    /// The id of the next value at this index.
    const fn next(self) -> Self {
        Self::new(self.index(), (self.0 >> INDEX_BITS).wrapping_add(1))
    }
}

/// Values by id.
#[derive(Debug)]
pub(crate) struct Slots<T> {
    /// Each with the id of its value, or of the next value when it has none.
    slots: Vec<(SlotId, Option<T>)>,
    free: Vec<u32>,
}

impl<T> Slots<T> {
    /// The most values at a time.
    pub(crate) const MAX: usize = 1 << INDEX_BITS;

    pub(crate) const fn new() -> Self {
        Self { slots: Vec::new(), free: Vec::new() }
    }

    /// The id that the next inserted value gets; `None` when there is no room for one more.
    pub(crate) fn next_id(&self) -> Option<SlotId> {
        match self.free.last() {
            Some(&index) => Some(self.slots[index as usize].0),
            None => (self.slots.len() < Self::MAX).then(|| SlotId::new(self.slots.len(), 0)),
        }
    }

    /// Inserts a value; `None` when there is no room for it.
    pub(crate) fn insert(&mut self, value: T) -> Option<SlotId> {
        let id = self.next_id()?;
        if self.free.pop().is_some() {
            self.slots[id.index()].1 = Some(value);
        } else {
            self.slots.push((id, Some(value)));
        }
        Some(id)
    }

    pub(crate) fn get(&self, id: SlotId) -> Option<&T> {
        let (own, value) = self.slots.get(id.index())?;
        if *own == id { value.as_ref() } else { None }
    }

    pub(crate) fn get_mut(&mut self, id: SlotId) -> Option<&mut T> {
        let (own, value) = self.slots.get_mut(id.index())?;
        if *own == id { value.as_mut() } else { None }
    }

    /// The id of whatever is at an index now.
    pub(crate) fn id_at(&self, index: usize) -> Option<SlotId> {
        self.slots.get(index).filter(|(_, value)| value.is_some()).map(|(id, _)| *id)
    }

    pub(crate) fn remove(&mut self, id: SlotId) -> Option<T> {
        let (own, value) = self.slots.get_mut(id.index())?;
        if *own != id {
            return None;
        }
        let value = value.take()?;
        *own = id.next();
        self.free.push(id.index() as u32);
        Some(value)
    }

    /// All values, in no particular order.
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = (SlotId, &mut T)> {
        self.slots.iter_mut().filter_map(|(id, value)| value.as_mut().map(|value| (*id, value)))
    }

    /// The number of values.
    pub(crate) fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_means_its_value_until_that_is_removed_and_never_another_one() {
        let mut slots = Slots::new();
        let first = slots.insert("first").unwrap();
        assert_eq!(slots.get(first), Some(&"first"));
        assert_eq!(slots.remove(first), Some("first"));
        assert_eq!(slots.remove(first), None);
        let second = slots.insert("second").unwrap();
        assert_eq!(second.index(), first.index());
        assert_ne!(second, first);
        assert_eq!(slots.get(first), None);
        assert_eq!(slots.get_mut(first), None);
        assert_eq!(slots.get(second), Some(&"second"));
        assert_eq!(slots.id_at(second.index()), Some(second));
        assert_eq!(slots.len(), 1);
    }

    #[test]
    fn generations_start_again_after_the_last_one() {
        let mut slots = Slots::new();
        let first = slots.insert(0).unwrap();
        slots.remove(first);
        for round in 1..1 << (u32::BITS - INDEX_BITS) {
            let id = slots.insert(round).unwrap();
            assert_ne!(id, first);
            assert_eq!(slots.remove(id), Some(round));
        }
        assert_eq!(slots.insert(0), Some(first));
    }

    #[test]
    fn ids_that_never_were_are_nothing() {
        let mut slots = Slots::<u8>::new();
        assert_eq!(slots.get(SlotId::from_raw(7)), None);
        assert_eq!(slots.remove(SlotId::from_raw(u32::MAX)), None);
        assert_eq!(slots.id_at(0), None);
        assert_eq!(slots.iter_mut().count(), 0);
    }
}
