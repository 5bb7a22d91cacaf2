//! Control records: which there are, and one value for each.

/// Control records: they may use the reserve, each kind once outstanding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Control {
    Alert,
    Warning,
    KeyUpdate,
}

/// One value for each kind of control record.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ByKind<T> {
    pub(super) alert: T,
    pub(super) warning: T,
    pub(super) key_update: T,
}

impl<T: Copy> ByKind<T> {
    pub(super) const fn get(&self, kind: Control) -> T {
        match kind {
            Control::Alert => self.alert,
            Control::Warning => self.warning,
            Control::KeyUpdate => self.key_update,
        }
    }

    pub(super) const fn set(&mut self, kind: Control, value: T) {
        match kind {
            Control::Alert => self.alert = value,
            Control::Warning => self.warning = value,
            Control::KeyUpdate => self.key_update = value,
        }
    }
}
