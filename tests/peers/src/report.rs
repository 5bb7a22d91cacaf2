//! Prints what was measured, and writes it between the marks of `performance.md` and into plots.

use std::fs;
use std::io::{Write, stdout};
use std::path::Path;

use offwire_peers::Problem;
use offwire_peers::measured::read;

use crate::tables::Results;
use crate::{goals, machine, plots, tables};

/// Reports a measured file; `docs` is the folder of the documentation.
pub(crate) fn write(file: &Path, docs: &Path) -> Result<(), Problem> {
    let results = Results(read(file)?);
    let (goals, tables) = (goals::table(&results), tables::all(&results));
    writeln!(stdout().lock(), "{goals}\n{tables}")?;
    let page = docs.join("performance.md");
    let mut text = fs::read_to_string(&page)?;
    // The machine is this one: a report belongs to the run before it.
    for (mark, content) in [
        ("machine", machine::description()?),
        ("goals", goals),
        ("tables", tables),
    ] {
        text = between(&text, mark, &content)?;
    }
    fs::write(page, text)?;
    for (name, plot) in [
        ("peers", plots::peers(&results)),
        ("sizes", plots::sizes(&results)),
        ("memory", plots::memory(&results)),
    ] {
        fs::write(docs.join(format!("images/performance-{name}.svg")), plot)?;
    }
    Ok(())
}

/// Puts content between the two marks of a name.
fn between(text: &str, mark: &str, content: &str) -> Result<String, Problem> {
    let (open, close) = (format!("<!-- {mark} -->\n"), format!("<!-- /{mark} -->"));
    let missing = || format!("performance.md has no marks for: {mark}");
    let (before, rest) = text.split_once(&open).ok_or_else(missing)?;
    let (_, after) = rest.split_once(&close).ok_or_else(missing)?;
    Ok(format!(
        "{before}{open}{}\n{close}{after}",
        content.trim_end()
    ))
}

#[cfg(test)]
mod tests {
    use super::between;

    #[test]
    fn only_what_is_between_the_marks_is_replaced() {
        let text = "a\n<!-- x -->\nold\n<!-- /x -->\nb";
        let new = between(text, "x", "new\n").unwrap();
        assert_eq!(new, "a\n<!-- x -->\nnew\n<!-- /x -->\nb");
        assert!(between(text, "y", "new").is_err());
    }
}
