//! What Rust adds to `BIO_s_bio(3)`: halves that are dropped, moved between threads, and used
//! while one of them works in place; and nothing allocated on the way.

use core::panic::AssertUnwindSafe;
use std::io::{Read as _, Write as _};
use std::panic::catch_unwind;
use std::sync::mpsc::sync_channel;
use std::thread;

use allocation_counter::measure;
use offwire_bio::{BioHalf, BioPair, Bios, MemoryBio, Reading, Writing};

fn halves(capacity: usize) -> (BioHalf, BioHalf) {
    let BioPair { a, b } = BioPair::new(capacity, capacity);
    (a, b)
}

#[test]
fn a_dropped_half_ends_its_direction_behind_its_bytes() {
    let (mut a, mut b) = halves(10);
    assert_eq!(a.try_write(b"last"), Writing::Written(4));
    drop(a);
    assert_eq!(b.try_read(&mut [0; 10]), Reading::Read(4));
    assert_eq!(b.try_read(&mut [0; 10]), Reading::End);
    assert!(b.eof());
}

#[test]
fn a_dropped_half_breaks_the_pipe_of_the_other() {
    let (a, mut b) = halves(10);
    assert_eq!(b.try_write(b"lost"), Writing::Written(4));
    drop(a);
    assert_eq!(
        (b.wpending(), b.write_guarantee(), b.read_request()),
        (0, 0, 0)
    );
    assert_eq!(b.try_write(b"x"), Writing::Shut);
    b.shutdown_write();
    b.reset();
    assert_eq!(b.nwrite0(), Writing::Shut);
}

#[test]
fn while_one_half_reads_in_place_the_other_is_not_held_up() {
    let (mut a, mut b) = halves(8);
    assert_eq!(a.try_write(b"abcd"), Writing::Written(4));
    let taken: Result<_, ()> = b.nread(|bytes| {
        assert_eq!(a.try_write(b"x"), Writing::Full);
        assert_eq!((a.nwrite0(), a.write_guarantee()), (Writing::Full, 0));
        assert_eq!(a.wpending(), 4);
        assert_eq!(a.try_read(&mut [0]), Reading::Empty, "the other direction");
        a.shutdown_write();
        Ok(bytes.len() - 1)
    });
    assert_eq!(taken, Ok(Reading::Read(3)));
    assert_eq!(b.try_read(&mut [0; 8]), Reading::Read(1));
    assert_eq!(b.try_read(&mut [0; 8]), Reading::End);
}

#[test]
fn while_one_half_fills_in_place_the_other_is_not_held_up() {
    let (mut a, mut b) = halves(8);
    assert_eq!(a.try_write(b"ab"), Writing::Written(2));
    let filled: Result<_, ()> = a.nwrite(|room| {
        room[..2].copy_from_slice(b"cd");
        assert_eq!(b.try_read(&mut [0; 8]), Reading::Empty);
        assert_eq!((b.nread0(), b.pending()), (Reading::Empty, 2));
        assert_eq!(b.try_write(b"y"), Writing::Written(1));
        Ok(2)
    });
    assert_eq!(filled, Ok(Writing::Written(2)));
    assert_eq!(a.read_request(), 0, "bytes were there");
    let mut into = [0; 8];
    assert_eq!(b.try_read(&mut into), Reading::Read(4));
    assert_eq!(&into[..4], b"abcd");
}

#[test]
fn a_request_made_while_the_writer_fills_in_place_lasts_until_bytes_come() {
    let (mut a, mut b) = halves(8);
    let filled: Result<_, ()> = a.nwrite(|_| {
        assert_eq!(b.try_read(&mut [0; 5]), Reading::Empty);
        Ok(0)
    });
    assert_eq!((filled, a.read_request()), (Ok(Writing::Written(0)), 5));
    for _ in 0..2 {
        let filled: Result<_, ()> = a.nwrite(|_| {
            assert_eq!(b.try_read(&mut [0; 5]), Reading::Empty);
            Ok(1)
        });
        assert_eq!((filled, a.read_request()), (Ok(Writing::Written(1)), 0));
    }
    let nothing: Result<_, ()> = a.nwrite(|_| {
        assert_eq!(b.try_read(&mut [0; 5]), Reading::Empty);
        Ok(0)
    });
    assert_eq!((nothing, a.read_request()), (Ok(Writing::Written(0)), 0));
}

#[test]
fn a_reset_or_a_drop_in_the_middle_of_work_in_place_is_harmless() {
    let (mut a, mut b) = halves(8);
    assert_eq!(a.try_write(b"abcd"), Writing::Written(4));
    let taken: Result<_, ()> = b.nread(|bytes| {
        a.reset();
        assert_eq!(bytes, b"abcd");
        Ok(4)
    });
    assert_eq!((taken, b.pending()), (Ok(Reading::Read(4)), 0));
    assert_eq!(a.try_write(b"efgh"), Writing::Written(4));
    assert_eq!(b.try_read(&mut [0; 8]), Reading::Read(4));

    let filled: Result<_, ()> = a.nwrite(|room| {
        drop(b);
        Ok(room.len())
    });
    assert_eq!(filled, Ok(Writing::Written(8)));
    assert_eq!((a.try_write(b"x"), a.wpending()), (Writing::Shut, 0));
}

#[test]
fn a_panic_in_place_loses_no_byte() {
    let (mut a, mut b) = halves(8);
    assert_eq!(a.try_write(b"abcd"), Writing::Written(4));
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        b.nread(|_| -> Result<usize, ()> { panic!("in place") })
    }));
    assert!(panicked.is_err());
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        a.nwrite(|_| -> Result<usize, ()> { panic!("in place") })
    }));
    assert!(panicked.is_err());
    let mut into = [0; 8];
    assert_eq!(b.try_read(&mut into), Reading::Read(4));
    assert_eq!(&into[..4], b"abcd");
}

#[test]
fn halves_are_moved_between_threads_and_shared_by_none() {
    // Each megabyte crosses in pieces; the two threads take turns by a token, not by time.
    let (mut a, mut b) = halves(1_000);
    let sent: Vec<u8> = (0..=250).cycle().take(1 << 20).collect();
    let expected = sent.clone();
    let (to_reader, at_reader) = sync_channel(0);
    let (to_writer, at_writer) = sync_channel(0);
    let writer = thread::spawn(move || {
        let mut rest = &sent[..];
        while !rest.is_empty() {
            rest = &rest[a.write(rest).unwrap()..];
            to_reader.send(()).unwrap();
            at_writer.recv().unwrap();
        }
        // The end is the drop of the half, then of the token.
        drop(a);
    });
    let mut received = Vec::<u8>::new();
    while at_reader.recv().is_ok() {
        let mut into = [0; 1_000];
        let n = b.read(&mut into).unwrap();
        received.extend(&into[..n]);
        to_writer.send(()).unwrap();
    }
    writer.join().unwrap();
    assert_eq!(b.try_read(&mut [0]), Reading::End);
    assert!(received == expected, "wrong bytes");
}

#[test]
fn two_threads_at_once_lose_and_double_nothing() {
    const LEN: usize = 1 << 20;
    let (mut a, mut b) = halves(777);
    let reader = thread::spawn(move || {
        let (mut received, mut into) = (Vec::new(), [0; 500]);
        loop {
            match b.try_read(&mut into) {
                Reading::Read(n) => received.extend_from_slice(&into[..n]),
                Reading::Empty => thread::yield_now(),
                Reading::End => return received,
            }
        }
    });
    let sent: Vec<u8> = (0..=250).cycle().take(LEN).collect();
    let mut rest = &sent[..];
    while !rest.is_empty() {
        let pieces = rest.len().min(300);
        match a.nwrite(|mut room| room.write(&rest[..pieces])).unwrap() {
            Writing::Written(n) => rest = &rest[n..],
            Writing::Full => thread::yield_now(),
            Writing::Shut => panic!("the reader is there"),
        }
    }
    a.shutdown_write();
    assert!(reader.join().unwrap() == sent, "wrong bytes");
}

#[test]
fn bytes_are_allocated_with_the_first_one_and_never_again() {
    let made = measure(|| drop(BioPair::new(1 << 20, 1 << 20)));
    assert!(made.bytes_max < 1_000, "{made:?}");

    let (mut a, mut b) = halves(4_000);
    let (bytes, mut into) = ([7; 3_000], [0; 1_700]);
    let first = measure(|| drop(a.write(&bytes[..1])));
    assert_eq!((first.count_total, first.bytes_total), (1, 4_000));
    let steady = measure(|| {
        for _ in 0..1_000 {
            let _ = (a.write(&bytes), a.write(&bytes), b.read(&mut into));
            let _ = (b.nread(|bytes| Ok::<_, ()>(bytes.len())), b.nread0());
            let _ = a.nwrite(|room| Ok::<_, ()>(room.len()));
            let _ = (b.read(&mut into), b.read(&mut into), b.read(&mut into));
        }
    });
    assert_eq!(steady.count_total, 0, "{steady:?}");
}

#[test]
fn a_capped_memory_bio_allocates_no_more_than_its_cap() {
    let mut bio = MemoryBio::capped(1_000);
    let grown = measure(|| while bio.write(&[1; 7]).is_ok() {});
    assert_eq!(bio.pending(), 1_000);
    assert_eq!(grown.bytes_current, 1_000);
    let steady = measure(|| {
        for _ in 0..1_000 {
            let _ = (
                bio.read(&mut [0; 600]),
                bio.write(&[2; 500]),
                bio.mem_data().len(),
            );
        }
    });
    assert_eq!(steady.count_total, 0, "{steady:?}");
}

#[test]
fn everything_can_be_sent_to_another_thread() {
    fn is_send<T: Send>() {}
    is_send::<BioPair>();
    is_send::<Bios<MemoryBio, BioHalf>>();
}

#[test]
fn debug_output_shows_counts_and_no_bytes() {
    let (mut a, b) = halves(9);
    a.write_all(&[0xab; 3]).unwrap();
    let shown = format!("{b:?}");
    assert_eq!(
        shown,
        "BioHalf { pending: 3, wpending: 0, capacity: 9, .. }"
    );
}
