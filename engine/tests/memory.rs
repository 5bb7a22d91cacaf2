use offwire::*;
use offwire_testkit::*;
fn main() {}
#[test]
fn m() {
    println!(
        "Engine {} EVP {}",
        size_of::<Engine>(),
        size_of::<aws_lc_sys::EVP_AEAD_CTX>()
    );
    for version in [ProtocolVersion::Tls13, ProtocolVersion::Tls12] {
        let contexts = Contexts::new().version(version);
        let (client, server) = contexts.build();
        let mut c = None;
        let mut s = None;
        // warm
        {
            let mut p = Pair::of(&contexts);
            p.handshake();
        }
        let name = || rustls::pki_types::ServerName::try_from("localhost").unwrap();
        for round in 0..3 {
            let mut ce = None;
            let mut se = None;
            let i1 = allocation_counter::measure(|| {
                ce = Some(client.connect(name()).unwrap());
            });
            let i2 = allocation_counter::measure(|| {
                se = Some(server.accept());
            });
            let (mut cc, mut ss) = (ce.unwrap(), se.unwrap());
            let mut tc = i1.bytes_current;
            let mut ts = i2.bytes_current;
            for _ in 0..20 {
                let mut out = vec![];
                tc += allocation_counter::measure(|| {
                    let _ = cc.handshake().unwrap();
                })
                .bytes_current;
                out.extend(cc.outgoing_slices().concat());
                tc += allocation_counter::measure(|| {
                    cc.sent(out.len()).unwrap();
                })
                .bytes_current;
                ts += allocation_counter::measure(|| {
                    ss.feed(&out);
                    let _ = ss.handshake().unwrap();
                })
                .bytes_current;
                let mut out = vec![];
                out.extend(ss.outgoing_slices().concat());
                ts += allocation_counter::measure(|| {
                    ss.sent(out.len()).unwrap();
                })
                .bytes_current;
                tc += allocation_counter::measure(|| {
                    cc.feed(&out);
                })
                .bytes_current;
            }
            tc += allocation_counter::measure(|| {
                let _ = cc.read(&mut [0; 10]).unwrap();
            })
            .bytes_current;
            println!("after handshake heap: client {tc} server {ts}");
            let mut buf = [0u8; 200];
            let certs: usize = cc
                .negotiated()
                .unwrap()
                .peer_certificates()
                .iter()
                .map(|c| c.len())
                .sum();
            tc += allocation_counter::measure(|| {
                let _ = cc.write(&[1; 100]).unwrap();
            })
            .bytes_current;
            let out = cc.outgoing().to_vec();
            cc.sent(out.len()).unwrap();
            ts += allocation_counter::measure(|| {
                ss.feed(&out);
                let _ = ss.read(&mut buf).unwrap();
                let _ = ss.write(&[1; 100]).unwrap();
            })
            .bytes_current;
            let out = ss.outgoing().to_vec();
            ss.sent(out.len()).unwrap();
            tc += allocation_counter::measure(|| {
                cc.feed(&out);
                let _ = cc.read(&mut buf).unwrap();
            })
            .bytes_current;
            println!("after echo heap: client {tc} server {ts}; certs {certs}");
            tc += allocation_counter::measure(|| {
                cc.release();
            })
            .bytes_current;
            ts += allocation_counter::measure(|| {
                ss.release();
            })
            .bytes_current;
            println!("after release heap: client {tc} server {ts}");
            c = Some(cc);
            s = Some(ss);
            let _ = (&c, &s, round);
        }
        let mut x = Some((c, s));
        println!(
            "drop {:?}",
            allocation_counter::measure(|| {
                drop(x.take());
            })
            .bytes_current
        );
    }
}
