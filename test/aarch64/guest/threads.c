/* What pthreads ask of a kernel: creation and joining, mutexes, conditions and barriers on futexes, robust and recursive mutexes,
 * thread-local storage, cancellation by a signal, signals to one thread, clocks, exits. Prints the same wherever it runs. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define THREADS 16
#define CHECK(what) do { if (!(what)) { printf("line %d: %s (%d)\n", __LINE__, #what, errno); exit(99); } } while (0)

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t turn_changed = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t together;
static int turn, order[THREADS];
static long plain;
static atomic_long counter;
static _Thread_local uint64_t mine = 41;
static pthread_key_t key;
static atomic_int destroyed;

static void destroy(void *value) { destroyed += (int)(intptr_t)value; }

static void *in_turns(void *arg)
{
	const int me = (int)(intptr_t)arg;
	mine += me;
	pthread_setspecific(key, (void *)(intptr_t)(me + 1));
	pthread_barrier_wait(&together);
	for (int i = 0; i < 500; i++) {
		counter++;
		pthread_mutex_lock(&lock);
		plain++;
		pthread_mutex_unlock(&lock);
	}
	pthread_mutex_lock(&lock);
	while (turn != me)
		pthread_cond_wait(&turn_changed, &lock);
	order[me] = turn++;
	pthread_cond_broadcast(&turn_changed);
	pthread_mutex_unlock(&lock);
	return (void *)(uintptr_t)mine;
}

static void in_order(void)
{
	pthread_t threads[THREADS];
	uint64_t sum = 0;
	CHECK(pthread_key_create(&key, destroy) == 0);
	CHECK(pthread_barrier_init(&together, NULL, THREADS) == 0);
	for (intptr_t i = 0; i < THREADS; i++)
		CHECK(pthread_create(&threads[i], NULL, in_turns, (void *)i) == 0);
	for (int i = 0; i < THREADS; i++) {
		void *result;
		CHECK(pthread_join(threads[i], &result) == 0);
		CHECK(order[i] == i);
		sum += (uintptr_t)result;
	}
	printf("%ld %ld %lu %d %lu\n", plain, (long)counter, (unsigned long)sum, destroyed, (unsigned long)mine);
}

static sem_t reached;
static void cleaned(void *arg) { printf("cleaned up %s\n", (const char *)arg); }
static void *cancelled(void *arg)
{
	pthread_cleanup_push(cleaned, arg);
	sem_post(&reached);
	pause();
	pthread_cleanup_pop(0);
	return NULL;
}
static void cancellation(void)
{
	pthread_t thread;
	void *result;
	sem_init(&reached, 0, 0);
	CHECK(pthread_create(&thread, NULL, cancelled, "a sleeper") == 0);
	sem_wait(&reached);
	CHECK(pthread_cancel(thread) == 0);
	CHECK(pthread_join(thread, &result) == 0);
	printf("%d\n", result == PTHREAD_CANCELED);
}

static _Atomic pthread_t signalled;
static void on_signal(int number) { (void)number; signalled = pthread_self(); sem_post(&reached); }
static void *sleeps(void *arg)
{
	(void)arg;
	struct timespec long_time = {100, 0};
	sem_post(&reached);
	return (void *)(intptr_t)(nanosleep(&long_time, NULL) == -1 && errno == EINTR);
}
static void one_of_them(void)
{
	struct sigaction action = {.sa_handler = on_signal};
	pthread_t thread;
	void *interrupted;
	sigaction(SIGUSR1, &action, NULL);
	CHECK(pthread_create(&thread, NULL, sleeps, NULL) == 0);
	sem_wait(&reached);
	struct timespec while_it_falls_asleep = {0, 50000000};
	nanosleep(&while_it_falls_asleep, NULL);
	CHECK(pthread_kill(thread, SIGUSR1) == 0);
	while (sem_wait(&reached) != 0)
		;
	pthread_join(thread, &interrupted);
	printf("%d %d\n", pthread_equal(signalled, thread) != 0, (int)(intptr_t)interrupted);
}

static pthread_mutex_t robust;
static void *dies_with_it(void *arg) { (void)arg; pthread_mutex_lock(&robust); return NULL; }
static void owners(void)
{
	pthread_mutexattr_t attributes;
	pthread_t thread;
	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
	pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
	pthread_mutex_init(&robust, &attributes);
	pthread_create(&thread, NULL, dies_with_it, NULL);
	pthread_join(thread, NULL);
	printf("%d", pthread_mutex_lock(&robust) == EOWNERDEAD);
	printf(" %d", pthread_mutex_consistent(&robust));
	printf(" %d", pthread_mutex_lock(&robust));
	printf(" %d %d\n", pthread_mutex_unlock(&robust), pthread_mutex_unlock(&robust));
	struct timespec soon;
	clock_gettime(CLOCK_REALTIME, &soon);
	soon.tv_nsec = (soon.tv_nsec + 20000000) % 1000000000;
	soon.tv_sec += soon.tv_nsec < 20000000;
	pthread_mutex_lock(&lock);
	printf("%d\n", pthread_cond_timedwait(&turn_changed, &lock, &soon) == ETIMEDOUT);
	pthread_mutex_unlock(&lock);
}

static void *forks(void *arg)
{
	pid_t child = fork();
	if (child == 0)
		_exit(getpid() == gettid() ? 5 : 6);
	int status;
	waitpid(child, &status, 0);
	*(int *)arg = WEXITSTATUS(status);
	return NULL;
}
static void *ends_all(void *arg) { (void)arg; exit(7); }

int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	in_order();
	cancellation();
	one_of_them();
	owners();
	pthread_t thread;
	int from_thread = 0;
	pthread_create(&thread, NULL, forks, &from_thread);
	pthread_join(thread, NULL);
	printf("%d\n", from_thread);
	pthread_create(&thread, NULL, ends_all, NULL);
	for (;;)
		pause();
}
