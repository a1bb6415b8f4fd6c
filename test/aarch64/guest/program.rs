// What Rust's standard library asks of a kernel: threads with names and thread-locals, parking, channels, unwinding, files, child
// processes, sockets. Prints the same wherever it runs.
use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::sync::{mpsc, Arc, Barrier, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

thread_local!(static LOCAL: Cell<u64> = Cell::new(7));

fn threads() -> (u64, u64) {
    let total = Arc::new(Mutex::new(0u64));
    let barrier = Arc::new(Barrier::new(12));
    let workers: Vec<_> = (0..12u64)
        .map(|i| {
            let (total, barrier) = (total.clone(), barrier.clone());
            let work = move || {
                LOCAL.with(|local| local.set(local.get() * (i + 1)));
                barrier.wait();
                for _ in 0..200 {
                    *total.lock().unwrap() += i;
                    thread::yield_now();
                }
                LOCAL.with(Cell::get)
            };
            thread::Builder::new().name(format!("worker {i}")).spawn(work).unwrap()
        })
        .collect();
    let locals = workers.into_iter().map(|worker| worker.join().unwrap()).sum();
    let sum = *total.lock().unwrap();
    (sum, locals)
}

fn channel() -> u64 {
    let (send, receive) = mpsc::sync_channel::<u64>(2);
    for i in 0..4 {
        let send = send.clone();
        thread::spawn(move || (0..100).for_each(|n| send.send(n * i).unwrap()));
    }
    drop(send);
    receive.iter().sum()
}

fn waiting() -> bool {
    let pair = Arc::new((Mutex::new(false), Condvar::new()));
    let other = pair.clone();
    let parked = thread::spawn(move || {
        thread::park();
        *other.0.lock().unwrap() = true;
        other.1.notify_all();
    });
    let started = Instant::now();
    let (guard, timeout) = pair.1.wait_timeout(pair.0.lock().unwrap(), Duration::from_millis(50)).unwrap();
    assert!(timeout.timed_out() && started.elapsed() >= Duration::from_millis(50));
    parked.thread().unpark();
    let guard = pair.1.wait_while(guard, |ready| !*ready).unwrap();
    *guard
}

fn files() -> std::io::Result<()> {
    fs::create_dir_all("rust.d/a")?;
    fs::write("rust.d/a/file", "text\n".repeat(500))?;
    fs::hard_link("rust.d/a/file", "rust.d/link")?;
    fs::copy("rust.d/link", "rust.d/copy")?;
    let mut names = BTreeMap::new();
    for entry in fs::read_dir("rust.d")? {
        let entry = entry?;
        names.insert(entry.file_name(), entry.metadata()?.is_dir());
    }
    println!("{names:?} {}", fs::metadata("rust.d/copy")?.len());
    println!("{:?}", fs::File::open("rust.d/none").unwrap_err().kind());
    fs::remove_dir_all("rust.d")
}

fn sockets() -> std::io::Result<()> {
    let (mut here, mut there) = UnixStream::pair()?;
    let echo = thread::spawn(move || {
        let mut heard = String::new();
        there.read_to_string(&mut heard).unwrap();
        there.write_all(heard.to_uppercase().as_bytes()).unwrap();
    });
    here.write_all(b"to the other end")?;
    here.shutdown(std::net::Shutdown::Write)?;
    let mut said = String::new();
    here.read_to_string(&mut said)?;
    echo.join().unwrap();
    println!("{said}");
    Ok(())
}

fn children() -> std::io::Result<()> {
    let mut child = Command::new("/proc/self/exe").arg("child").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    child.stdin.take().unwrap().write_all(b"to the child")?;
    let output = child.wait_with_output()?;
    println!("{} {:?}", String::from_utf8_lossy(&output.stdout), output.status.code());
    println!("{:?}", Command::new("/nonexistent").spawn().unwrap_err().kind());
    Ok(())
}

fn main() -> std::io::Result<()> {
    if std::env::args().len() > 1 {
        let mut heard = String::new();
        std::io::stdin().read_to_string(&mut heard)?;
        print!("heard {heard}");
        std::process::exit(3);
    }
    println!("{} {:?} {} {}", std::env::consts::ARCH, threads(), channel(), waiting());
    std::panic::set_hook(Box::new(|_| ()));
    println!("{:?}", thread::spawn(|| -> () { panic!("unwound") }).join().unwrap_err().downcast_ref::<&str>());
    files()?;
    sockets()?;
    children()
}
