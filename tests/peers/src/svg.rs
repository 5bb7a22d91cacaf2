//! Plots: bars beside each other, and lines over a logarithmic axis.

use core::fmt::Write as _;

/// The colour of a peer, the same in every plot.
pub(crate) fn colour(peer: &str) -> &'static str {
    match peer {
        "offwire" => "#b45309",
        "raw" => "#94a3b8",
        "rustls-0.23" => "#0369a1",
        "rustls-0.23-unbuffered" => "#38bdf8",
        "rustls-0.24-dev" => "#1e3a8a",
        "openssl" => "#b91c1c",
        "boringssl" => "#7c3aed",
        "nginx" => "#15803d",
        _ => "#0f766e",
    }
}

/// Bars with a heading: a label, the colour's peer, the length, what is written behind it.
pub(crate) struct Panel {
    pub(crate) heading: String,
    pub(crate) bars: Vec<(String, f64, String)>,
}

const WIDTH: f64 = 860.0;

/// The panels below one another.
pub(crate) fn bars(title: &str, panels: &[Panel]) -> String {
    let mut body = String::new();
    let mut y = 28.0;
    for panel in panels {
        let longest = panel
            .bars
            .iter()
            .map(|(_, value, _)| *value)
            .fold(0.0, f64::max);
        text(&mut body, 20.0, y, "start", 15, &panel.heading);
        y += 12.0;
        for (peer, value, written) in &panel.bars {
            let length = 440.0 * value / longest;
            text(&mut body, 222.0, y + 14.0, "end", 13, peer);
            rectangle(&mut body, 230.0, y, length, 18.0, colour(peer));
            text(&mut body, 238.0 + length, y + 14.0, "start", 13, written);
            y += 23.0;
        }
        y += 34.0;
    }
    document(title, y - 20.0, &body)
}

/// A line with its points: the peer, and what is drawn over what.
pub(crate) struct Line {
    pub(crate) peer: String,
    pub(crate) points: Vec<(f64, f64)>,
}

/// An axis: what it is of, the numbers at its marks and how they are written.
pub(crate) struct Axis {
    pub(crate) heading: String,
    pub(crate) marks: Vec<(f64, String)>,
}

impl Axis {
    /// Where a value lies between the first and the last mark, logarithmically: 0 to 1.
    fn place(&self, value: f64) -> f64 {
        let ends = (self.marks.first(), self.marks.last());
        let (Some((low, _)), Some((high, _))) = ends else {
            return 0.0;
        };
        (value / low).ln() / (high / low).ln()
    }
}

/// Lines over two logarithmic axes, each named at its end or in a legend.
pub(crate) fn lines(title: &str, across: &Axis, up: &Axis, lines: &[Line]) -> String {
    let (left, top, width, height) = (90.0, 46.0, 560.0, 330.0);
    let mut body = String::new();
    text(&mut body, 20.0, 24.0, "start", 14, &up.heading);
    let place = |x: f64, y: f64| {
        (
            left + width * across.place(x),
            top + height * (1.0 - up.place(y)),
        )
    };
    for (mark, written) in &up.marks {
        let y = top + height * (1.0 - up.place(*mark));
        rectangle(&mut body, left, y, width, 1.0, "#e2e8f0");
        text(&mut body, left - 8.0, y + 5.0, "end", 12, written);
    }
    for (mark, written) in &across.marks {
        let x = left + width * across.place(*mark);
        rectangle(&mut body, x, top, 1.0, height, "#e2e8f0");
        text(&mut body, x, top + height + 18.0, "middle", 12, written);
    }
    text(
        &mut body,
        left + width / 2.0,
        top + height + 40.0,
        "middle",
        14,
        &across.heading,
    );
    for (index, line) in (0_u32..).zip(lines) {
        let colour = colour(&line.peer);
        let mut points = String::new();
        for (x, y) in &line.points {
            let (x, y) = place(*x, *y);
            let _ = write!(points, "{x:.1},{y:.1} ");
            let _ = writeln!(
                body,
                r#"<circle cx="{x:.1}" cy="{y:.1}" r="3.5" fill="{colour}"/>"#
            );
        }
        let _ = writeln!(
            body,
            r#"<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>"#
        );
        let y = top + 10.0 + 24.0 * f64::from(index);
        rectangle(&mut body, left + width + 24.0, y - 6.0, 18.0, 4.0, colour);
        text(&mut body, left + width + 48.0, y, "start", 13, &line.peer);
    }
    document(title, top + height + 60.0, &body)
}

fn document(title: &str, height: f64, body: &str) -> String {
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height:.0}\" \
         font-family=\"Helvetica, Arial, sans-serif\" role=\"img\" aria-label=\"{title}\">\n\
         <rect width=\"{WIDTH}\" height=\"{height:.0}\" fill=\"#fff\"/>\n{body}</svg>\n"
    )
}

fn text(body: &mut String, x: f64, y: f64, anchor: &str, size: u32, written: &str) {
    let _ = writeln!(
        body,
        r##"<text x="{x:.1}" y="{y:.1}" text-anchor="{anchor}" font-size="{size}" fill="#0f172a">{written}</text>"##
    );
}

fn rectangle(body: &mut String, x: f64, y: f64, width: f64, height: f64, colour: &str) {
    let _ = writeln!(
        body,
        r#"<rect x="{x:.1}" y="{y:.1}" width="{width:.1}" height="{height:.1}" fill="{colour}"/>"#
    );
}
