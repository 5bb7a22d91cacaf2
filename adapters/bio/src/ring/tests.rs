//! Every position of a small ring.

use super::Ring;

/// A ring of so many bytes whose first byte stands at `head`, with `len` bytes counted from 0.
fn ring(capacity: usize, head: usize, len: usize) -> Ring {
    let mut ring = Ring::new(capacity);
    // One byte stays until the others have come, or the ring would start from 0 again.
    assert_eq!(ring.write(&vec![0xff; head]), head);
    let bytes: Vec<u8> = (0..=255).take(len).collect();
    if len == 0 {
        ring.clear();
        return ring;
    }
    assert_eq!(
        ring.read(&mut vec![0; head.saturating_sub(1)]),
        head.saturating_sub(1)
    );
    let early = (capacity - head.min(1)).min(len);
    assert_eq!(ring.write(&bytes[..early]), early);
    if head > 0 {
        assert_eq!(ring.read(&mut [0]), 1);
    }
    assert_eq!(ring.write(&bytes[early..]), len - early);
    ring
}

#[test]
fn every_read_at_every_position_gives_the_first_bytes() {
    for capacity in 1..6 {
        for head in 0..capacity {
            for len in 0..=capacity {
                for wanted in 0..=capacity + 1 {
                    let mut ring = ring(capacity, head, len);
                    let mut into = vec![0xee; wanted];
                    let n = ring.read(&mut into);
                    assert_eq!(n, wanted.min(len));
                    assert!(
                        into[..n]
                            .iter()
                            .enumerate()
                            .all(|(at, &byte)| usize::from(byte) == at)
                    );
                    assert!(into[n..].iter().all(|&byte| byte == 0xee), "{into:?}");
                    assert_eq!((ring.len(), ring.space()), (len - n, capacity - len + n));
                }
            }
        }
    }
}

#[test]
fn runs_lie_within_the_storage_and_do_not_overlap() {
    for capacity in 1..6 {
        for head in 0..capacity {
            for len in 0..=capacity {
                let ring = ring(capacity, head, len);
                let (filled, vacant) = (ring.filled(), ring.vacant());
                assert!(filled.end <= capacity && vacant.end <= capacity);
                assert_eq!(filled.is_empty(), len == 0);
                assert_eq!(vacant.is_empty(), len == capacity);
                assert!(filled.clone().all(|place| !vacant.contains(&place)));
                if len == 0 {
                    assert_eq!(vacant, 0..capacity, "all of the room in one run");
                } else {
                    assert_eq!(filled.start, head);
                }
            }
        }
    }
}

#[test]
fn a_lent_ring_moves_nothing_and_forgets_nothing() {
    let mut ring = ring(5, 3, 4);
    let storage = ring.lend().unwrap();
    assert!(ring.is_lent() && ring.lend().is_none());
    assert_eq!((ring.read(&mut [0; 5]), ring.write(b"x")), (0, 0));
    assert_eq!(ring.len(), 4);
    ring.take_back(storage);
    let mut into = [0; 5];
    assert_eq!(ring.read(&mut into), 4);
    assert_eq!(into, [0, 1, 2, 3, 0]);
}
