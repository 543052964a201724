package dev.heed.backend.vector.storage;

import dev.heed.tensor.Tensor;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * The threads that run the tasks of a call: the caller's thread and free threads of an executor, at most {@code threads} in
 * all. The result of a task does not depend on its thread. A call made inside a task, or with one thread, uses only the
 * caller's thread.
 */
public final class Workers implements AutoCloseable {
    /** The code of the tasks of a call. While a task runs, only its thread uses the scratch. */
    public interface Task {
        void run(int index, Scratch scratch);
    }

    /** Workers that use only the caller's thread. */
    public static final Workers ALONE = new Workers(1, null);

    /**
     * Number of times that a thread polls before it sleeps; all these polls take a few dozen microseconds. The parallel
     * steps of one call follow each other faster than a sleeping thread wakes up.
     */
    private static final int LOOKS = 2_000;

    private static final ThreadLocal<Boolean> INSIDE = ThreadLocal.withInitial(() -> false);

    private final int threads;
    private final Scratch.Pool scratch = new Scratch.Pool();
    private final Executor executor;
    private final @Nullable ThreadPoolExecutor own;

    /** Creates workers that use an executor, or a new pool of {@code threads - 1} threads if the executor is null. */
    public Workers(int threads, @Nullable Executor executor) {
        this.threads = threads;
        if (executor != null || threads == 1) {
            this.own = null;
            this.executor = executor != null ? executor : Runnable::run;
            return;
        }
        AtomicInteger number = new AtomicInteger();
        this.own = new ThreadPoolExecutor(threads - 1, threads - 1, 30, TimeUnit.SECONDS, new Jobs(), work -> {
            Thread thread = new Thread(work, "heed-vector-" + number.incrementAndGet());
            thread.setDaemon(true);
            return thread;
        });
        this.own.allowCoreThreadTimeOut(true);
        this.executor = own;
    }

    public int threads() {
        return threads;
    }

    /** {@return the number of threads in words: "1 thread" or "8 threads"} */
    public String describe() {
        return describe(threads);
    }

    /** {@return a number of threads in words} */
    public static String describe(int threads) {
        return threads + (threads == 1 ? " thread" : " threads");
    }

    /** {@return these workers, or {@link #ALONE} if one of the tensors is confined to the caller's thread} */
    public Workers allowedBy(List<? extends @Nullable Tensor> tensors) {
        for (Tensor tensor : tensors) {
            if (tensor != null && tensor.isConfined()) {
                return ALONE;
            }
        }
        return this;
    }

    /**
     * Runs tasks 0 to {@code count - 1}, started in this order, and returns when all are done. If a task throws an
     * exception, tasks that have not started are skipped, and the exception is thrown again here.
     */
    public void run(int count, Task task) {
        Job job = new Job(count, task);
        if (!INSIDE.get()) {
            try {
                for (int helper = 1; helper < Math.min(threads, count); helper++) {
                    executor.execute(job);
                }
            } catch (RejectedExecutionException e) {
                // the caller and the threads already started run all tasks
            }
        }
        try {
            job.run();
        } catch (RuntimeException | Error e) {
            job.abandon(e);
        }
        try {
            job.await();
        } finally {
            while (own != null && own.remove(job)) {
                // a job that stays in the queue would keep the caller's tensors reachable
            }
        }
    }

    @Override
    public void close() {
        if (own != null) {
            own.shutdown();
        }
    }

    /** The queue of jobs that wait for a thread. A thread that finds it empty polls for a while before it sleeps. */
    private static final class Jobs extends LinkedBlockingQueue<Runnable> {
        private static final long serialVersionUID = 1;

        @Override
        public @Nullable Runnable poll(long timeout, TimeUnit unit) throws InterruptedException {
            for (int look = 0; look < LOOKS; look++) {
                Runnable job = poll();
                if (job != null) {
                    return job;
                }
                Thread.onSpinWait();
            }
            return super.poll(timeout, unit);
        }
    }

    private final class Job implements Runnable {
        private final int count;
        private final Task task;
        private final Thread caller = Thread.currentThread();
        private final AtomicInteger next = new AtomicInteger();
        private final AtomicInteger done = new AtomicInteger();
        private volatile @Nullable Throwable failure;

        Job(int count, Task task) {
            this.count = count;
            this.task = task;
        }

        @Override
        public void run() {
            if (next.get() >= count) {
                return;
            }
            Scratch mine = scratch.take(); // before a task is claimed: if memory runs out here, no task is lost
            boolean nested = INSIDE.get();
            INSIDE.set(true);
            try {
                for (int index = next.getAndIncrement(); index < count; index = next.getAndIncrement()) {
                    try {
                        if (failure == null) {
                            task.run(index, mine);
                        }
                    } catch (RuntimeException | Error e) {
                        failure = e;
                    }
                    if (done.incrementAndGet() == count) {
                        LockSupport.unpark(caller);
                    }
                }
            } finally {
                scratch.give(mine);
                INSIDE.set(nested);
            }
        }

        /** Records a failure and cancels the tasks that no thread has claimed. */
        void abandon(Throwable reason) {
            failure = reason;
            int claimed = Math.min(count, next.getAndSet(count));
            done.addAndGet(count - claimed);
        }

        /** Waits for the tasks that other threads still run. */
        void await() {
            for (int spins = 0; done.get() < count; spins++) {
                if (spins < LOOKS) {
                    Thread.onSpinWait();
                } else {
                    LockSupport.park(this);
                }
            }
            Throwable thrown = failure;
            if (thrown instanceof RuntimeException e) {
                throw e;
            }
            if (thrown instanceof Error e) {
                throw e;
            }
        }
    }
}
