//! An HTTP proxy in front of the emulator that puts AWS's own rules back, counts, and breaks
//! things.

pub mod classify;
pub mod faults;
pub mod ledger;
pub mod reply;
pub mod rules;
mod server;
mod wire;
mod xml;

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};

use tokio::runtime::Runtime;
use tokio::sync::watch;

use classify::Request;
use faults::{Due, Script};
use ledger::{Entry, Ledger};
use rules::World;

/// Who answers.
pub struct Upstreams {
    pub others: SocketAddr,
    /// For what `others` does not do (docs/aws.md, "CloudFront on moto", "accounts on moto").
    pub cloudfront_and_sts: SocketAddr,
}

impl Upstreams {
    fn of(&self, request: &Request) -> SocketAddr {
        match request.service() {
            "cloudfront" | "sts" => self.cloudfront_and_sts,
            _ => self.others,
        }
    }
}

/// What the test and the server both hold.
pub struct Shared {
    upstreams: Upstreams,
    book: Mutex<Book>,
    world: Mutex<World>,
    changed: Condvar,
    plugged: watch::Sender<bool>,
    turn: tokio::sync::Mutex<()>,
}

#[derive(Default)]
pub struct Book {
    pub ledger: Ledger,
    pub script: Script,
    under_way: usize,
    clients: BTreeSet<SocketAddr>,
    unplugged: bool,
}

impl Shared {
    fn open(&self, request: &Request) -> (Entry, Due) {
        let mut book = self.book.lock().unwrap();
        book.under_way += 1;
        (book.ledger.open(request), book.script.next(&request.operation))
    }

    fn close(&self, entry: Entry, status: Option<u16>) {
        let mut book = self.book.lock().unwrap();
        book.ledger.close(entry, status);
        book.under_way -= 1;
        self.changed.notify_all();
    }

    fn arrives(&self, client: SocketAddr) {
        self.book.lock().unwrap().clients.insert(client);
        self.changed.notify_all();
    }

    fn leaves(&self, client: SocketAddr) {
        self.book.lock().unwrap().clients.remove(&client);
        self.changed.notify_all();
    }

    fn unplug(&self) {
        self.book.lock().unwrap().unplugged = true;
        self.plugged.send_replace(false);
    }

    fn listens(&self) {
        self.book.lock().unwrap().unplugged = false;
        self.changed.notify_all();
    }
}

/// Runs on a thread of its own, so that a test may block while the binary talks to it.
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    runtime: Option<Runtime>,
}

impl Proxy {
    pub fn start(upstreams: Upstreams) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            upstreams,
            book: Mutex::default(),
            world: Mutex::default(),
            changed: Condvar::new(),
            plugged: watch::Sender::new(true),
            turn: tokio::sync::Mutex::new(()),
        });
        runtime.spawn(server::serve(Arc::clone(&shared), listener));
        Self { address, shared, runtime: Some(runtime) }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Reads or changes the ledger and the script.
    pub fn book<T>(&self, work: impl FnOnce(&mut Book) -> T) -> T {
        work(&mut self.shared.book.lock().unwrap())
    }

    /// Reads or changes the rules and what they remember.
    pub fn world<T>(&self, work: impl FnOnce(&mut World) -> T) -> T {
        work(&mut self.shared.world.lock().unwrap())
    }

    /// Waits until no call is under way.
    pub fn wait_idle(&self) {
        self.wait_while(|book| book.under_way > 0);
    }

    /// Who is connected now.
    pub fn clients(&self) -> BTreeSet<SocketAddr> {
        self.book(|book| book.clients.clone())
    }

    /// Waits until no client is connected any more and no call of theirs is under way.
    pub fn wait_deserted(&self) {
        self.wait_deserted_but_for(&BTreeSet::new());
    }

    /// The same, while some who do not call may stay.
    pub fn wait_deserted_but_for(&self, others: &BTreeSet<SocketAddr>) {
        // Connections are accepted in their order: once this one is, no earlier one is still
        // waiting.
        let last = TcpStream::connect(self.address).unwrap();
        let address = last.local_addr().unwrap();
        self.wait_while(|book| !book.clients.contains(&address));
        drop(last);
        self.wait_while(|book| book.under_way > 0 || !book.clients.is_subset(others));
    }

    fn wait_while(&self, condition: impl Fn(&Book) -> bool) {
        let book = self.shared.book.lock().unwrap();
        let _book = self.shared.changed.wait_while(book, |book| condition(book)).unwrap();
    }

    /// Accepts connections again after `Fault::Unplugged`.
    pub fn plug_in(&self) {
        self.shared.plugged.send_replace(true);
        self.wait_while(|book| book.unplugged);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // A plain drop would wait for calls that hang, and may not be done inside another runtime.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
