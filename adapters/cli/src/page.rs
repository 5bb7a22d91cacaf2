//! The page of `serve --http`: the facts of the connection that asked for it, as HTML.

use core::fmt::Write as _;
use core::net::SocketAddr;

use offwire::Engine;

use crate::facts;
use crate::http::Request;

/// Draws the page. Everything that the peer chose is escaped.
pub(crate) fn render(engine: &Engine, request: &Request, peer: SocketAddr, number: u64) -> String {
    let asked = [
        ("Your address", peer.to_string()),
        ("Your request", request.line.clone()),
        ("Requests on this connection", number.to_string()),
    ];
    let negotiated = engine
        .negotiated()
        .map(facts::negotiated)
        .unwrap_or_default();
    let mut body = String::from("<h1>This is a TLS connection</h1>\n");
    body.push_str("<p>The server that answers is <code>offwire serve</code>.</p>\n");
    table(&mut body, "Request", &asked);
    table(&mut body, "Negotiated", &negotiated);
    table(
        &mut body,
        "Counters, before this answer",
        &facts::counters(&engine.stats()),
    );
    document("Offwire: this connection", &body)
}

/// Draws the page of a request that cannot be answered.
pub(crate) fn refusal(status: &str) -> String {
    document(status, &format!("<h1>{}</h1>\n", escaped(status)))
}

fn table(html: &mut String, caption: &str, rows: &[(&str, String)]) {
    // Writing to a String cannot fail.
    let _ = writeln!(html, "<table>\n<caption>{}</caption>", escaped(caption));
    for (name, value) in rows {
        let (name, value) = (escaped(name), escaped(value));
        let _ = writeln!(
            html,
            "<tr><th scope=\"row\">{name}</th><td>{value}</td></tr>"
        );
    }
    html.push_str("</table>\n");
}

fn document(title: &str, body: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{}</title>\n<link rel=\"icon\" href=\"data:,\">\n<style>\n{STYLE}</style>\n\
         </head>\n<body>\n{body}</body>\n</html>\n",
        escaped(title),
    )
}

const STYLE: &str = "\
:root { color-scheme: light dark; }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 48rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; }
table { border-collapse: collapse; width: 100%; margin: 1.5rem 0; }
caption { text-align: left; font-weight: 600; padding: .25rem 0; }
th, td { border-top: 1px solid #8886; padding: .3rem 1rem .3rem 0; text-align: left;
  vertical-align: top; overflow-wrap: anywhere; }
th { font-weight: 400; width: 40%; opacity: .75; }
td { font-family: ui-monospace, monospace; font-size: .9rem; }
";

fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            // HTML forbids control characters even as references.
            control if control.is_control() => html.push('\u{fffd}'),
            other => html.push(other),
        }
    }
    html
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn markup_is_escaped() {
        assert_eq!(
            escaped("<a href=\"x\">'&\0"),
            "&lt;a href=&quot;x&quot;&gt;&#39;&amp;\u{fffd}"
        );
    }
}
