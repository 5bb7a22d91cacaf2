//! Bugs that real projects shipped where the semantics of `SSL_write(3)` met a TLS library: each test
//! is named after the public report, says in a line what went wrong there, and shows that it cannot
//! happen here. The table of them is in README.md.

mod openssl;
mod reading;
mod rustls;
mod writing;
