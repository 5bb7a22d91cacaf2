//! Takes the peers in turn, round by round, and scales what each took by how fast the machine was
//! just then.

use std::io::{IsTerminal, Write, stderr};

use crate::Problem;
use crate::measured::{Measured, quartiles};
use crate::order::{Answer, Order};
use crate::peers::raw::calibration;

/// A measurement that is made once a round.
#[expect(missing_debug_implementations, reason = "it holds a closure")]
#[expect(clippy::exhaustive_structs, reason = "the plan fills it in")]
pub struct Job<'a> {
    /// Whose it is.
    pub peer: String,
    /// What it is called.
    pub measure: String,
    /// The version, the suite, the size, and how many operations the answer is for.
    pub order: Order,
    /// Makes it.
    pub run: Box<dyn FnMut() -> Result<Answer, Problem> + 'a>,
}

/// What came of a job in a round: of both sides or of each, and the calibration around it.
#[derive(Clone, Copy)]
struct Sample {
    answer: Answer,
    calibration: f64,
}

/// Makes every measurement once a round, and sums up.
///
/// # Errors
/// What went wrong with a peer.
pub fn run(jobs: &mut [Job<'_>], rounds: usize) -> Result<Vec<Measured>, Problem> {
    let mut samples: Vec<Vec<Sample>> = jobs.iter().map(|_| Vec::new()).collect();
    for round in 0..rounds {
        let mut both: Vec<_> = jobs.iter_mut().zip(&mut samples).collect();
        if round % 2 == 1 {
            both.reverse(); // nobody always comes after the same one
        }
        for (index, (job, samples)) in both.into_iter().enumerate() {
            if index % 16 == 0 {
                progress(format_args!(
                    "round {} of {rounds}: {}",
                    round + 1,
                    job.measure
                ));
            }
            let before = calibration()?;
            let answer =
                (job.run)().map_err(|error| format!("{} of {}: {error}", job.measure, job.peer))?;
            let calibration = mean(before, calibration()?);
            samples.push(Sample {
                answer,
                calibration,
            });
        }
    }
    progress(format_args!("measured"));
    let all = samples.iter().flatten().map(|sample| sample.calibration);
    let [_, speed, _] = quartiles(&mut all.collect::<Vec<_>>());
    let each = jobs.iter().zip(&samples);
    Ok(each
        .flat_map(|(job, samples)| sum_up(job, samples, speed))
        .collect())
}

#[expect(
    clippy::cast_precision_loss,
    reason = "nanoseconds of a run are far below 2^53"
)]
fn mean(before: u64, after: u64) -> f64 {
    (before + after) as f64 / 2.0
}

/// What an answer says of a side, or of both.
type SideOf = fn(Answer) -> Option<u64>;

/// The medians of a job: one, or one for each side, or none.
fn sum_up(job: &Job<'_>, samples: &[Sample], speed: f64) -> Vec<Measured> {
    let sides: [(&str, SideOf); 3] = [
        ("both", |answer| match answer {
            Answer::One(value) => Some(value),
            Answer::Sides(..) | Answer::Impossible => None,
        }),
        ("client", |answer| match answer {
            Answer::Sides(client, _) => Some(client),
            Answer::One(_) | Answer::Impossible => None,
        }),
        ("server", |answer| match answer {
            Answer::Sides(_, server) => Some(server),
            Answer::One(_) | Answer::Impossible => None,
        }),
    ];
    let mut results = Vec::new();
    for (side, value) in sides {
        let scaled = samples.iter().filter_map(|sample| {
            #[expect(clippy::cast_precision_loss, reason = "a run is far below 2^53")]
            let (value, count) = (value(sample.answer)? as f64, job.order.count.max(1) as f64);
            Some(value / count * speed / sample.calibration)
        });
        let mut scaled: Vec<f64> = scaled.collect();
        if scaled.is_empty() {
            continue;
        }
        let [lower, median, upper] = quartiles(&mut scaled);
        let calibrations = samples.iter().map(|sample| sample.calibration);
        let [_, calibration, _] = quartiles(&mut calibrations.collect::<Vec<_>>());
        results.push(Measured {
            peer: job.peer.clone(),
            measure: job.measure.clone(),
            version: job.order.version.name().into(),
            suite: job.order.suite.name().into(),
            size: job.order.size,
            side: side.into(),
            value: rounded(median),
            unit: "ns".into(),
            spread: rounded((upper - lower) / median),
            rounds: samples.len(),
            calibration: calibration.round(),
        });
    }
    results
}

/// Three decimals: the file is read by people too.
#[must_use]
pub fn rounded(value: f64) -> f64 {
    (value * 1_000.0).round() / 1_000.0
}

/// Says how far the run has come, in one line where there is a terminal.
pub fn progress(what: core::fmt::Arguments<'_>) {
    let mut stderr = stderr().lock();
    let end = if stderr.is_terminal() {
        "\x1b[K\r"
    } else {
        "\n"
    };
    // Nothing depends on it.
    let _ = write!(stderr, "{what}{end}").and_then(|()| stderr.flush());
}
