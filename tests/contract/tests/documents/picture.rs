//! `docs/images/halves.svg` against the diagrams of `docs/state-machine.md`, which are compared with
//! the code: the boxes are the states, and the arrows lead from box to box as there.
//!
//! The picture is read as it is seen: an arrow belongs to the boxes that its ends touch.

use alloc::collections::BTreeSet;

use crate::sources::text;
use crate::state_machine::{Arrows, MACHINES, drawn, states};

/// How far from its box an arrow may end: its head has some width.
const NEAR: f64 = 3.0;

type Point = (f64, f64);

/// A state as a rounded rectangle with its name in it.
struct Shape {
    name: String,
    /// The left, the top, the right and the bottom edge.
    edges: [f64; 4],
}

impl Shape {
    /// How far outside a point is; negative inside.
    fn distance(&self, (x, y): Point) -> f64 {
        let [left, top, right, bottom] = self.edges;
        [left - x, x - right, top - y, y - bottom]
            .into_iter()
            .fold(f64::MIN, f64::max)
    }
}

/// What stands in the picture between `<g id="…">` and its end.
fn group(picture: &str, id: &str) -> String {
    let (_, behind) = picture.split_once(&format!("<g id=\"{id}\">\n")).unwrap();
    behind.split_once("</g>").unwrap().0.to_owned()
}

/// An attribute of an element.
fn attribute<'a>(element: &'a str, name: &str) -> &'a str {
    let (_, behind) = element.split_once(&format!(" {name}=\"")).unwrap();
    behind.split_once('"').unwrap().0
}

fn shapes(group: &str) -> Vec<Shape> {
    let boxes = group
        .lines()
        .filter(|line| line.contains("class=\"label\""));
    let shape = |line: &str| {
        let [x, y, width, height] =
            ["x", "y", "width", "height"].map(|name| attribute(line, name).parse::<f64>().unwrap());
        let (_, label) = line.split_once("class=\"label\"").unwrap();
        let (_, name) = label.split_once('>').unwrap();
        Shape {
            name: name.split_once('<').unwrap().0.to_owned(),
            edges: [x, y, x + width, y + height],
        }
    };
    boxes.map(shape).collect()
}

/// The corners of a path of absolute moves and lines: `M`, `H`, `V`, and pairs behind an `M`.
fn corners(path: &str) -> Vec<Point> {
    let spaced = ['M', 'H', 'V']
        .into_iter()
        .fold(path.to_owned(), |path, letter| {
            path.replace(letter, &format!(" {letter} "))
        });
    let mut corners: Vec<Point> = Vec::new();
    let (mut letter, mut first) = ("M", None);
    for word in spaced.split_whitespace() {
        let Ok(number) = word.parse::<f64>() else {
            letter = word;
            continue;
        };
        match (letter, first.take(), corners.last()) {
            ("H", None, Some((_, y))) => corners.push((number, *y)),
            ("V", None, Some((x, _))) => corners.push((*x, number)),
            ("M", None, _) => first = Some(number),
            ("M", Some(x), _) => corners.push((x, number)),
            _ => panic!("{path}"),
        }
    }
    corners
}

/// The state that an arrow's end touches.
fn touched(shapes: &[Shape], end: Point) -> String {
    let near = |shape: &&Shape| shape.distance(end).abs() <= NEAR;
    let near: Vec<&Shape> = shapes.iter().filter(near).collect();
    assert_eq!(near.len(), 1, "an arrow ends at {end:?}, not at one box");
    near[0].name.clone()
}

/// Points along an arrow, a few to each unit of its length.
fn along(corners: &[Point]) -> Vec<Point> {
    let pairs = corners.windows(2);
    let between = |pair: &[Point]| {
        let ((ax, ay), (bx, by)) = (pair[0], pair[1]);
        let at = move |step: u32| {
            let part = f64::from(step) / 1_000.0;
            (ax + (bx - ax) * part, ay + (by - ay) * part)
        };
        (0..=1_000).map(at)
    };
    pairs.flat_map(between).collect()
}

#[test]
fn the_boxes_and_arrows_of_the_picture_are_those_of_the_diagrams() {
    let picture = text("docs/images/halves.svg");
    for (heading, id, ..) in MACHINES {
        let group = group(&picture, id);
        let shapes = shapes(&group);
        let mut arrows = Arrows::new();
        for line in group
            .lines()
            .filter(|line| line.contains("class=\"arrow\""))
        {
            let corners = corners(attribute(line, "d"));
            let ends = [corners[0], corners[corners.len() - 1]];
            let [from, to] = ends.map(|end| touched(&shapes, end));
            for point in along(&corners) {
                let crossed = shapes.iter().find(|shape| shape.distance(point) < -NEAR);
                assert!(crossed.is_none(), "{from} -> {to} crosses a box");
            }
            assert!(arrows.insert((from, to)), "twice: {line}");
        }
        let mut diagram = drawn(heading);
        let names: BTreeSet<String> = shapes.into_iter().map(|shape| shape.name).collect();
        assert_eq!(names, states(&diagram), "{id}");
        diagram.retain(|(from, to)| from != "[*]" && to != "[*]");
        assert_eq!(arrows, diagram, "{id}");
    }
}
