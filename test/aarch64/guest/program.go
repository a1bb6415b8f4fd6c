// What Go's runtime asks of a kernel: threads that come and go, asynchronous preemption by signals, timers, a collector that gives
// memory back, pipes polled by epoll, child processes. Prints the same wherever it runs.
package main

import (
	"bufio"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"runtime/debug"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

func must(err error) {
	if err != nil {
		fmt.Println("error:", err)
		os.Exit(1)
	}
}

// Sums of what many goroutines send, some of them bound to threads of their own.
func channels() int {
	numbers, sums := make(chan int), make(chan int)
	var workers sync.WaitGroup
	for i := 0; i < 16; i++ {
		workers.Add(1)
		go func(bound bool) {
			defer workers.Done()
			if bound {
				runtime.LockOSThread()
			}
			sum := 0
			for n := range numbers {
				sum += n * n % 97
			}
			sums <- sum
		}(i%4 == 0)
	}
	go func() {
		for n := 0; n < 2000; n++ {
			numbers <- n
		}
		close(numbers)
		workers.Wait()
		close(sums)
	}()
	total := 0
	for sum := range sums {
		total += sum
	}
	return total
}

// A loop without calls is preempted by a signal, or this never ends with one processor.
func preemption() bool {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	var stop, stopped atomic.Bool
	go func() {
		for !stop.Load() {
		}
		stopped.Store(true)
	}()
	time.Sleep(30 * time.Millisecond)
	stop.Store(true)
	for !stopped.Load() {
		runtime.Gosched()
	}
	return true
}

// Which of two late timers runs first is chance; that none is early is not.
func timers() []string {
	fired := map[int]string{}
	var lock sync.Mutex
	var all sync.WaitGroup
	for _, ms := range []int{300, 100, 200} {
		all.Add(1)
		ms, begun := ms, time.Now()
		time.AfterFunc(time.Duration(ms)*time.Millisecond, func() {
			waited := time.Since(begun) >= time.Duration(ms)*time.Millisecond
			lock.Lock()
			fired[ms] = fmt.Sprint(ms, waited)
			lock.Unlock()
			all.Done()
		})
	}
	all.Wait()
	return []string{fired[100], fired[200], fired[300]}
}

func files() {
	must(os.MkdirAll("go.d/a/b", 0o755))
	must(os.WriteFile("go.d/a/file", []byte(strings.Repeat("line\n", 1000)), 0o640))
	must(os.Symlink("file", "go.d/a/link"))
	must(os.Rename("go.d/a/file", "go.d/a/b/file"))
	_, err := os.Stat("go.d/a/link")
	fmt.Println("dangling:", os.IsNotExist(err))
	file, err := os.Open("go.d/a/b/file")
	must(err)
	lines := 0
	for scan := bufio.NewScanner(file); scan.Scan(); lines++ {
	}
	info, err := file.Stat()
	must(err)
	fmt.Println(lines, info.Size(), info.Mode())
	must(file.Close())
	entries, err := os.ReadDir("go.d/a")
	must(err)
	for _, entry := range entries {
		fmt.Println(entry.Name(), entry.IsDir())
	}
	must(os.RemoveAll("go.d"))
}

func signals() {
	got := make(chan os.Signal, 1)
	signal.Notify(got, syscall.SIGUSR1)
	must(syscall.Kill(os.Getpid(), syscall.SIGUSR1))
	fmt.Println(<-got)
	func() {
		defer func() { fmt.Println(recover()) }()
		var nothing *int
		fmt.Println(*nothing)
	}()
}

func children() {
	command := exec.Command("/proc/self/exe", "child")
	command.Stdin = strings.NewReader("to the child")
	said, err := command.Output()
	fmt.Printf("%q %v\n", said, err)
	sleeper := exec.Command("/proc/self/exe", "sleeper")
	must(sleeper.Start())
	must(sleeper.Process.Kill())
	fmt.Println(sleeper.Wait())
}

func memory() {
	kept := make([][]byte, 0, 64)
	for i := 0; i < 400; i++ {
		block := make([]byte, 1<<18)
		for at := 0; at < len(block); at += 4096 {
			block[at] = byte(i)
		}
		if i%8 == 0 {
			kept = append(kept, block)
		}
	}
	debug.FreeOSMemory()
	sum := sha256.New()
	for _, block := range kept {
		sum.Write(block)
	}
	fmt.Printf("%x\n", sum.Sum(nil)[:8])
}

func main() {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "child":
			heard, _ := io.ReadAll(os.Stdin)
			fmt.Printf("heard %s", heard)
			os.Exit(3)
		case "sleeper":
			time.Sleep(time.Hour)
		}
	}
	fmt.Println(runtime.GOARCH, channels(), preemption(), timers())
	files()
	signals()
	children()
	memory()
	environment := os.Environ()
	sort.Strings(environment)
	fmt.Println(len(environment) > 0)
}
