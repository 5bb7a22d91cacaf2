//! The exporter: keying material that both sides must derive alike.

use crate::failure::Failure;
use crate::flags::{Flags, Setting, Switch};
use crate::session::Session;

/// Sends keying material to the runner, which compares it with its own, if the flags ask for it.
pub(crate) fn export(session: &mut Session, flags: &Flags) -> Result<(), Failure> {
    let Some(length) = flags.number(Setting::ExportKeyingMaterial)? else {
        return Ok(());
    };
    let bytes = |setting| flags.value(setting).unwrap_or_default().as_bytes();
    let context = flags
        .has(Switch::UseExportContext)
        .then(|| bytes(Setting::ExportContext));
    let label = bytes(Setting::ExportLabel);
    let mut material = vec![0; length];
    session
        .engine
        .export_keying_material(&mut material, label, context)?;
    session.write(&material)
}
