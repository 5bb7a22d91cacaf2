//! Numbered places for connections; a number is used again once its place is empty.

/// Values by number. Empty places cost a few bytes.
#[derive(Debug)]
pub(crate) struct Slots<T> {
    places: Vec<Option<Box<T>>>,
    empty: Vec<usize>,
}

impl<T> Slots<T> {
    pub(crate) fn new() -> Self {
        Self {
            places: Vec::new(),
            empty: Vec::new(),
        }
    }

    /// How many places are taken.
    pub(crate) fn len(&self) -> usize {
        self.places.len() - self.empty.len()
    }

    /// Puts a value into a place, which is returned.
    pub(crate) fn insert(&mut self, value: T) -> usize {
        let value = Some(Box::new(value));
        if let Some(slot) = self.empty.pop()
            && let Some(place) = self.places.get_mut(slot)
        {
            *place = value;
            return slot;
        }
        self.places.push(value);
        self.places.len() - 1
    }

    pub(crate) fn get_mut(&mut self, slot: usize) -> Option<&mut T> {
        self.places.get_mut(slot)?.as_deref_mut()
    }

    /// Empties a place.
    pub(crate) fn remove(&mut self, slot: usize) -> Option<T> {
        let value = self.places.get_mut(slot)?.take()?;
        self.empty.push(slot);
        if self.len() == 0 {
            // The system gets back what thousands of connections needed.
            *self = Self::new();
        }
        Some(*value)
    }

    /// The places that are taken.
    pub(crate) fn taken(&self) -> Vec<usize> {
        let places = self.places.iter().enumerate();
        places
            .filter_map(|(slot, place)| place.as_ref().map(|_| slot))
            .collect()
    }
}
