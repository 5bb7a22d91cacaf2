//! The facts of `BIO_s_bio(3)`, one by one.

use std::io::{self, ErrorKind, IoSlice, Read as _, Write as _};

use offwire_bio::{BioHalf, BioPair, DEFAULT_CAPACITY, Reading, Writing};

fn halves(capacity_a: usize, capacity_b: usize) -> (BioHalf, BioHalf) {
    let BioPair { a, b } = BioPair::new(capacity_a, capacity_b);
    (a, b)
}

#[test]
fn capacity_zero_means_17_kib() {
    let (mut a, b) = halves(0, 7);
    assert_eq!(DEFAULT_CAPACITY, 17 * 1_024);
    assert_eq!((a.capacity(), b.capacity()), (DEFAULT_CAPACITY, 7));
    assert_eq!(a.try_write(&[0; 20_000]), Writing::Written(17_408));
}

#[test]
fn each_capacity_bounds_what_its_own_half_writes() {
    let (mut a, mut b) = halves(3, 5);
    assert_eq!(a.try_write(b"0123456789"), Writing::Written(3));
    assert_eq!(b.try_write(b"abcdefghij"), Writing::Written(5));
    assert_eq!((a.wpending(), a.pending()), (3, 5));
    assert_eq!((b.wpending(), b.pending()), (5, 3));
    let mut into = [0; 8];
    assert_eq!(a.try_read(&mut into), Reading::Read(5));
    assert_eq!(&into[..5], b"abcde");
}

#[test]
fn a_full_pair_asks_for_a_retry_of_the_write_and_an_empty_one_of_the_read() {
    let (mut a, mut b) = halves(2, 2);
    assert_eq!(b.try_read(&mut [0; 4]), Reading::Empty);
    assert_eq!(
        b.read(&mut [0; 4]).unwrap_err().kind(),
        ErrorKind::WouldBlock
    );
    assert_eq!(a.try_write(b"xy"), Writing::Written(2));
    assert_eq!(a.try_write(b"z"), Writing::Full);
    assert_eq!(a.write(b"z").unwrap_err().kind(), ErrorKind::WouldBlock);
    assert_eq!(b.try_read(&mut [0]), Reading::Read(1));
    assert_eq!(a.try_write(b"zz"), Writing::Written(1));
}

#[test]
fn nothing_can_always_be_read_and_written() {
    let (mut a, mut b) = halves(1, 1);
    assert_eq!(b.try_read(&mut []), Reading::Read(0));
    assert_eq!(a.try_write(b"x"), Writing::Written(1));
    assert_eq!(a.try_write(b""), Writing::Written(0));
    a.shutdown_write();
    assert_eq!(a.try_write(b""), Writing::Written(0));
}

#[test]
fn the_write_guarantee_is_the_room_and_0_once_shut() {
    let (mut a, mut b) = halves(10, 10);
    assert_eq!(a.write_guarantee(), 10);
    assert_eq!(a.try_write(b"1234"), Writing::Written(4));
    assert_eq!(a.write_guarantee(), 6);
    assert_eq!(b.try_read(&mut [0; 3]), Reading::Read(3));
    assert_eq!(a.write_guarantee(), 9);
    a.shutdown_write();
    assert_eq!((a.write_guarantee(), a.wpending()), (0, 1));
}

#[test]
fn a_read_in_vain_is_a_request_of_at_most_the_capacity() {
    let (a, mut b) = halves(10, 3);
    assert_eq!(a.read_request(), 0);
    assert_eq!(b.try_read(&mut [0; 7]), Reading::Empty);
    assert_eq!((a.read_request(), b.read_request()), (7, 0));
    assert_eq!(b.try_read(&mut [0; 99]), Reading::Empty);
    assert_eq!(a.read_request(), 10);
    assert_eq!(b.nread0(), Reading::Empty);
    assert_eq!(a.read_request(), 1);
    assert_eq!(b.try_read(&mut []), Reading::Read(0));
    assert_eq!(a.read_request(), 0);
}

#[test]
fn a_request_ends_with_the_next_write_even_of_a_part_or_with_a_reset() {
    let (mut a, mut b) = halves(10, 10);
    let _ = b.try_read(&mut [0; 7]);
    assert_eq!(a.try_write(b""), Writing::Written(0));
    assert_eq!(a.read_request(), 7);
    assert_eq!(a.try_write(b"x"), Writing::Written(1));
    assert_eq!(a.read_request(), 0);
    assert_eq!(b.try_read(&mut [0; 7]), Reading::Read(1));
    assert_eq!(a.read_request(), 0);
    let _ = b.try_read(&mut [0; 7]);
    a.reset_read_request();
    assert_eq!(a.read_request(), 0);
    let _ = b.try_read(&mut [0; 7]);
    assert_eq!(a.nwrite0(), Writing::Written(10));
    assert_eq!(a.read_request(), 0);
    let _ = b.try_read(&mut [0; 7]);
    a.shutdown_write();
    assert_eq!(a.read_request(), 0, "never more than the guarantee");
}

#[test]
fn behind_a_shut_end_the_rest_is_read_and_then_the_end() {
    let (mut a, mut b) = halves(10, 10);
    assert_eq!(a.try_write(b"rest"), Writing::Written(4));
    a.shutdown_write();
    a.shutdown_write();
    assert!(!b.eof());
    assert_eq!(b.try_read(&mut [0; 3]), Reading::Read(3));
    assert_eq!(b.try_read(&mut [0; 3]), Reading::Read(1));
    assert!(b.eof() && !a.eof());
    for _ in 0..3 {
        assert_eq!(b.try_read(&mut [0; 3]), Reading::End);
        assert_eq!(b.read(&mut [0; 3]).unwrap(), 0);
        assert_eq!(b.nread0(), Reading::End);
    }
    assert_eq!(a.read_request(), 0);
}

#[test]
fn a_shut_half_breaks_the_pipe_and_still_reads() {
    let (mut a, mut b) = halves(10, 10);
    a.shutdown_write();
    assert_eq!(a.try_write(b"x"), Writing::Shut);
    assert_eq!(a.nwrite0(), Writing::Shut);
    assert_eq!(a.write(b"x").unwrap_err().kind(), ErrorKind::BrokenPipe);
    a.flush().unwrap();
    assert_eq!(b.try_write(b"back"), Writing::Written(4));
    assert_eq!(a.try_read(&mut [0; 10]), Reading::Read(4));
    assert!(!a.eof());
}

#[test]
fn a_reset_clears_what_the_half_has_written_and_nothing_else() {
    let (mut a, mut b) = halves(4, 4);
    assert_eq!(a.try_write(b"1234"), Writing::Written(4));
    assert_eq!(b.try_write(b"56"), Writing::Written(2));
    a.reset();
    assert_eq!((a.wpending(), a.pending()), (0, 2));
    assert_eq!(b.try_read(&mut [0; 4]), Reading::Empty);
    assert_eq!(a.try_write(b"abcd"), Writing::Written(4));
    a.shutdown_write();
    a.reset();
    assert_eq!(a.try_write(b"x"), Writing::Shut, "an end stays an end");
    assert!(b.eof());
}

#[test]
fn in_place_regions_stop_where_the_ring_wraps_around() {
    let (mut a, mut b) = halves(10, 10);
    assert_eq!(a.nwrite0(), Writing::Written(10));
    assert_eq!(a.try_write(b"0123456"), Writing::Written(7));
    assert_eq!(b.try_read(&mut [0; 5]), Reading::Read(5));
    assert_eq!((a.nwrite0(), a.write_guarantee()), (Writing::Written(3), 8));
    let filled = a.nwrite(|room| {
        room.copy_from_slice(b"789");
        Ok::<_, io::Error>(usize::MAX)
    });
    assert_eq!(filled.unwrap(), Writing::Written(3));
    assert_eq!((a.nwrite0(), a.write_guarantee()), (Writing::Written(5), 5));
    let filled = a.nwrite(|mut room| room.write(b"abc"));
    assert_eq!(filled.unwrap(), Writing::Written(3));

    assert_eq!((b.nread0(), b.pending()), (Reading::Read(5), 8));
    let mut seen = Vec::new();
    for expected in [Reading::Read(5), Reading::Read(3), Reading::Empty] {
        assert_eq!(b.nread(|bytes| seen.write(bytes)).unwrap(), expected);
    }
    assert_eq!(seen, b"56789abc");
    assert_eq!(
        a.nwrite0(),
        Writing::Written(10),
        "an empty ring starts from 0"
    );
}

#[test]
fn in_place_counts_may_be_less_and_errors_move_nothing() {
    let (mut a, mut b) = halves(8, 8);
    assert_eq!(a.nwrite(|_| Err("no")), Err("no"));
    assert_eq!(a.wpending(), 0);
    let filled: Result<_, ()> = a.nwrite(|room| {
        room.copy_from_slice(b"abcdefgh");
        Ok(5)
    });
    assert_eq!((filled, a.wpending()), (Ok(Writing::Written(5)), 5));
    assert_eq!(b.nread(|_| Err("no")), Err("no"));
    assert_eq!(b.nread(|_| Ok::<_, ()>(0)), Ok(Reading::Read(0)), "a look");
    assert_eq!(b.pending(), 5);
    let taken: Result<_, ()> = b.nread(|bytes| {
        assert_eq!(bytes, b"abcde");
        Ok(2)
    });
    assert_eq!((taken, b.pending()), (Ok(Reading::Read(2)), 3));
    let mut rest = [0; 8];
    assert_eq!(b.try_read(&mut rest), Reading::Read(3));
    assert_eq!(&rest[..3], b"cde");
}

#[test]
fn writing_many_slices_is_one_write() {
    let (mut a, mut b) = halves(6, 6);
    let slices = [&b""[..], b"ab", b"", b"cde", b"fgh"].map(IoSlice::new);
    assert_eq!(a.write_vectored(&slices).unwrap(), 6);
    let mut into = [0; 8];
    assert_eq!(b.read(&mut into).unwrap(), 6);
    assert_eq!(&into[..6], b"abcdef");
    assert_eq!(a.write_vectored(&slices[..1]).unwrap(), 0);
}

#[test]
fn reading_to_the_end_is_that_of_std() {
    let (mut a, mut b) = halves(100, 0);
    a.write_all(b"all of it").unwrap();
    a.shutdown_write();
    let mut text = String::new();
    assert_eq!(b.read_to_string(&mut text).unwrap(), 9);
    assert_eq!(text, "all of it");
}
