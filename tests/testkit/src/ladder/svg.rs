//! The ladder as a picture: two lifelines, calls beside them, and what crosses between them.

use core::fmt::Write as _;

use super::{Ladder, Movement, Rung, What};
use crate::pair::Side;

/// Measures in pixels.
const WIDTH: usize = 1_000;
const CLIENT: usize = 270;
const SERVER: usize = WIDTH - CLIENT;
const TOP: usize = 64;
const ROW: usize = 24;

const STYLE: &str = "\
text{font:13px ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;fill:#1f2933}\
.role{font-weight:700;font-size:15px;text-anchor:middle}\
.client{text-anchor:end}\
.wire{fill:#52606d;font-size:11px;paint-order:stroke;stroke:#fff;stroke-width:4px}\
.arrival{text-anchor:end}\
.remark{fill:#b44d12;text-anchor:middle}\
.life{stroke:#9aa5b1;stroke-width:2}\
.cross{stroke:#2f6fb0;stroke-width:1.5;marker-end:url(#head)}";

impl Ladder {
    /// Draws the ladder as an SVG. The same ladder gives the same bytes.
    ///
    /// Time goes down, a line a rung. A line between the lifelines leads from where bytes left to
    /// where they arrived.
    #[must_use]
    pub fn to_svg(&self) -> String {
        let height = TOP + ROW * (self.rungs.len() + 1);
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" \
             aria-label=\"Calls of a client and a server, and the records between them\">\n\
             <style>{STYLE}</style>\n\
             <defs><marker id=\"head\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" markerWidth=\"8\" \
             markerHeight=\"8\" orient=\"auto\"><path d=\"M0 0L8 4L0 8z\" fill=\"#2f6fb0\"/></marker>\
             </defs>\n<rect width=\"{WIDTH}\" height=\"{height}\" fill=\"#fff\"/>\n"
        );
        for (role, x) in [("client", CLIENT), ("server", SERVER)] {
            text(&mut svg, "role", x, 28, role);
            let bottom = height - ROW / 2;
            line(&mut svg, "life", (x, TOP - ROW), (x, bottom));
        }
        for (index, rung) in self.rungs.iter().enumerate() {
            self.draw(&mut svg, index, rung);
        }
        svg.push_str("</svg>\n");
        svg
    }

    fn draw(&self, svg: &mut String, index: usize, rung: &Rung) {
        let (y, inner) = (height_of(index), 8);
        match (&rung.what, rung.side) {
            (What::Call { verb, outcome }, Side::Client) => {
                text(
                    svg,
                    "client",
                    CLIENT - 12,
                    y,
                    &format!("{verb} → {outcome}"),
                );
            }
            (What::Call { verb, outcome }, Side::Server) => {
                text(
                    svg,
                    "server",
                    SERVER + 12,
                    y,
                    &format!("{verb} → {outcome}"),
                );
            }
            (What::Left(movement), Side::Client) => {
                text(svg, "wire", CLIENT + inner, y - 8, &movement.to_string());
            }
            (What::Left(movement), Side::Server) => {
                text(
                    svg,
                    "wire arrival",
                    SERVER - inner,
                    y - 8,
                    &movement.to_string(),
                );
            }
            (What::Arrived(movement), side) => self.cross(svg, index, side, movement),
            (What::Ended, side) => {
                text(svg, "remark", x_of(side), y, "✕ end of the transport");
            }
            (What::Remark(remark), _) => text(svg, "remark", WIDTH / 2, y, remark),
        }
    }

    /// Lines from where the bytes of an arrival have left. The arrival is named where the transport
    /// has cut them otherwise.
    fn cross(&self, svg: &mut String, index: usize, side: Side, arrived: &Movement) {
        let mut whole = false;
        for (from, rung) in self.rungs[..index].iter().enumerate() {
            let What::Left(left) = &rung.what else {
                continue;
            };
            let apart =
                left.bytes.end <= arrived.bytes.start || arrived.bytes.end <= left.bytes.start;
            if rung.side == side || apart {
                continue;
            }
            whole |= left.bytes == arrived.bytes;
            let start = (x_of(side.peer()), height_of(from));
            line(svg, "cross", start, (x_of(side), height_of(index)));
        }
        if !whole {
            let (class, x) = match side {
                Side::Client => ("wire", CLIENT + 16),
                Side::Server => ("wire arrival", SERVER - 16),
            };
            text(svg, class, x, height_of(index) + 14, &arrived.to_string());
        }
    }
}

fn x_of(side: Side) -> usize {
    match side {
        Side::Client => CLIENT,
        Side::Server => SERVER,
    }
}

fn height_of(index: usize) -> usize {
    TOP + ROW * index
}

fn line(svg: &mut String, class: &str, from: (usize, usize), to: (usize, usize)) {
    let ((x1, y1), (x2, y2)) = (from, to);
    // Writing into a string cannot fail.
    let _ = writeln!(
        svg,
        "<line class=\"{class}\" x1=\"{x1}\" y1=\"{y1}\" x2=\"{x2}\" y2=\"{y2}\"/>"
    );
}

fn text(svg: &mut String, class: &str, x: usize, y: usize, text: &str) {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    let _ = writeln!(
        svg,
        "<text class=\"{class}\" x=\"{x}\" y=\"{}\">{text}</text>",
        y + 4
    );
}
