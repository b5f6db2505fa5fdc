using Ork.Protocol;
using OrkSim;

namespace Ork.Kernel.Tests;

/// <summary>Timer wheel, mailbox and scheduler: the parts of the loop.</summary>
public sealed class LoopPartsTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void The_wheel_elapses_every_timer_at_its_time_in_order_whatever_is_set_moved_and_cancelled(int seed)
    {
        var random = new Random(seed);
        var wheel = new TimerWheel(500);
        var elapsed = new List<(int Id, long At)>();
        var turn = new Turn();
        var expected = new Dictionary<int, long>();
        var timers = new List<WheelTimer>();
        for (var id = 0; id < 3_000; id++)
        {
            var mine = id;
            timers.Add(new WheelTimer(_ => elapsed.Add((mine, wheel.NowMs))));
            Set(id);
        }

        for (var step = 0; step < 2_000; step++)
        {
            wheel.Advance(wheel.NowMs + random.Next(1, 40), turn);
            foreach (var (id, _) in elapsed.Skip(elapsed.Count - 50)) expected.TryGetValue(id, out _);
            var any = random.Next(timers.Count);
            if (!timers[any].IsSet) continue;
            if (random.Next(2) == 0) Set(any);
            else
            {
                TimerWheel.Cancel(timers[any]);
                expected.Remove(any);
            }
        }

        while (wheel.NextDueMs is { } next) wheel.Advance(next, turn);
        Assert.Equal(elapsed.Select(entry => entry.At).Order(), elapsed.Select(entry => entry.At));
        Assert.Equal(expected.OrderBy(entry => entry.Key), elapsed.GroupBy(entry => entry.Id).Where(group => expected.ContainsKey(group.Key))
            .Select(group => KeyValuePair.Create(group.Key, group.Last().At)).OrderBy(entry => entry.Key));
        Assert.All(elapsed.GroupBy(entry => entry.Id), group => Assert.Single(group));

        void Set(int id)
        {
            var due = wheel.NowMs + (long)Math.Pow(10, random.NextDouble() * 9);
            expected[id] = Math.Max(due, wheel.NowMs + 1);
            wheel.Set(timers[id], due);
        }
    }

    [Fact]
    public void The_wheel_is_advanced_for_timers_only_not_for_its_own_slots_and_not_for_what_was_cancelled()
    {
        var wheel = new TimerWheel(0);
        var kept = new WheelTimer(_ => { });
        wheel.Set(kept, 9_999);
        for (var due = 5_000; due < 9_000; due += 7)
        {
            var cancelled = new WheelTimer(_ => Assert.Fail("cancelled"));
            wheel.Set(cancelled, due);
            TimerWheel.Cancel(cancelled);
        }

        var turn = new Turn();
        var times = new List<long>();
        while (wheel.NextDueMs is { } next)
        {
            times.Add(next);
            wheel.Advance(next, turn);
        }

        // One time may be left over for each slot that a cancelled timer was the first of.
        Assert.InRange(times.Count, 1, 3);
        Assert.Equal(9_999, times[^1]);
        foreach (var delay in new long[] { 1, 63, 64, 65, 4_095, 4_096, 4_097, 300_000, 40_000_000 })
        {
            wheel.Set(kept, wheel.NowMs + delay);
            Assert.Equal(wheel.NowMs + delay, wheel.NextDueMs);
        }
    }

    [Fact]
    public void The_wheel_never_says_a_later_time_than_the_next_timers()
    {
        var wheel = new TimerWheel(0);
        var timer = new WheelTimer(_ => { });
        foreach (var delay in new long[] { 1, 63, 64, 65, 4_095, 4_096, 4_097, 300_000, 40_000_000, 90_000_000_000 })
        {
            wheel.Set(timer, wheel.NowMs + delay);
            Assert.InRange(wheel.NextDueMs!.Value, wheel.NowMs + 1, wheel.NowMs + delay);
        }
    }

    [Fact]
    public void A_timer_beyond_the_wheels_reach_elapses_at_its_time_all_the_same()
    {
        var wheel = new TimerWheel(0);
        long? elapsed = null;
        wheel.Set(new WheelTimer(_ => elapsed = wheel.NowMs), 300_000_000_007);
        var turn = new Turn();
        for (var advances = 0; elapsed is null; advances++)
        {
            Assert.InRange(advances, 0, 100);
            wheel.Advance(wheel.NextDueMs!.Value, turn);
        }

        Assert.Equal(300_000_000_007, elapsed);
    }

    [Theory]
    [InlineData(1_000)]
    [InlineData(999)]
    [InlineData(-5)]
    public void What_is_due_already_when_it_is_set_elapses_with_the_next_millisecond(long dueMs)
    {
        var wheel = new TimerWheel(1_000);
        long? elapsed = null;
        wheel.Set(new WheelTimer(_ => elapsed = wheel.NowMs), dueMs);
        Assert.Equal(1_001, wheel.NextDueMs);
        wheel.Advance(1_001, new Turn());
        Assert.Equal(1_001, elapsed);
    }

    [Fact]
    public async Task A_full_mailbox_holds_its_senders_back_and_loses_nothing()
    {
        var box = new Mailbox<int>(4);
        var senders = Enumerable.Range(0, 8).Select(sender => Task.Run(async () =>
        {
            for (var i = 0; i < 500; i++) Assert.True(await box.PostAsync((sender * 1_000) + i));
        })).ToArray();
        var taken = new List<int>();
        while (taken.Count < 4_000)
        {
            Assert.True(await box.WaitAsync());
            Assert.InRange(box.Count, 0, 4);
            box.Take(taken, 3);
        }

        await Task.WhenAll(senders);
        Assert.Equal(4_000, taken.Distinct().Count());
        foreach (var sender in taken.GroupBy(item => item / 1_000)) Assert.Equal(sender.Order(), sender);
    }

    [Fact]
    public async Task Closing_a_mailbox_lets_everyone_go()
    {
        var box = new Mailbox<int>(1);
        Assert.True(await box.PostAsync(1));
        var heldBack = box.PostAsync(2).AsTask();
        Assert.Equal([1], box.Close());
        Assert.False(await heldBack);
        Assert.False(await box.WaitAsync());
    }

    [Fact]
    public async Task What_is_urgent_is_taken_before_all_that_waits_and_is_one_at_a_time()
    {
        var box = new Mailbox<int>(1);
        Assert.False(box.TryTakeUrgent(out _));
        Assert.True(await box.PostAsync(1));
        box.PostUrgent(2);
        Assert.Throws<InvalidOperationException>(() => box.PostUrgent(3));
        Assert.True(box.TryTakeUrgent(out var urgent));
        Assert.Equal(2, urgent);
        Assert.False(box.TryTakeUrgent(out _));
        var taken = new List<int>();
        box.Take(taken, 9);
        Assert.Equal([1], taken);
        var waiting = box.WaitAsync().AsTask();
        Assert.False(waiting.IsCompleted);
        box.PostUrgent(4);
        Assert.True(await waiting);
        Assert.True(await box.WaitAsync());
        box.Close();
        box.PostUrgent(5);
    }

    [Fact]
    public void The_next_commit_begins_before_what_the_last_one_leads_to_leaves()
    {
        var scenario = ScenarioArbitrary.Concrete(ScenarioCatalogue.Find("everything-at-once")!, 3);
        var world = new SimWorld(scenario, new SeededChoices(3), new WatchOptions { Trace = true });
        Assert.Empty(world.Run().Violations);
        var (submitted, overlapped) = (-1L, 0);
        foreach (var happened in world.Trace)
        {
            if (happened.Node?.Kind != NodeKind.Kernel) continue;
            if (happened.Kind == SimEventKind.CommitSubmitted) submitted = happened.Step;
            else if (happened is { Kind: SimEventKind.FrameSent, Message.Action: OrkAction.CommandRequest } && happened.Step == submitted) overlapped++;
        }

        Assert.NotEqual(0, overlapped);
    }

    [Fact]
    public void Jobs_never_overlap_themselves_and_are_spread_over_their_interval()
    {
        var timers = new TimerWheel(0);
        var observer = new RecordingObserver();
        var running = new Dictionary<string, Action<Turn>>();
        var starts = new List<(string Worker, long At)>();
        var scheduler = new Scheduler(new ScheduleOptions { StateIntervalMs = 1_000, MaxPulls = 50 }, JobMachine.Build(observer, true), timers, observer, (_, worker, done, turn) =>
        {
            Assert.True(running.TryAdd(worker.WorkerId, done), "A job overlapped itself.");
            starts.Add((worker.WorkerId, turn.NowMs));
        });
        var turn = new Turn();
        for (var i = 0; i < 200; i++) scheduler.Start(JobKind.State, new WorkerEntry($"w{i}", "k"), turn);
        for (var ms = 1; ms <= 10_000; ms++)
        {
            turn.NowMs = ms;
            timers.Advance(ms, turn);
            Assert.InRange(scheduler.PullsInFlight, 0, 50);
            if (ms % 7 == 0)
            {
                foreach (var (worker, done) in running.ToArray())
                {
                    running.Remove(worker);
                    done(turn);
                }
            }
        }

        var perWorker = starts.GroupBy(start => start.Worker).Select(group => group.Count()).ToArray();
        Assert.Equal(200, perWorker.Length);
        Assert.All(perWorker, count => Assert.InRange(count, 9, 10));
        var busiest = starts.Where(start => start.At is > 1_000 and <= 2_000).GroupBy(start => start.At / 100).Max(group => group.Count());
        Assert.InRange(busiest, 1, 45);
    }

    [Fact]
    public void Jobs_that_end_as_they_begin_are_begun_one_after_the_other_however_many_wait()
    {
        var timers = new TimerWheel(0);
        var observer = new RecordingObserver();
        Action<Turn>? first = null;
        var (begun, depth, deepest) = (0, 0, 0);
        var scheduler = new Scheduler(new ScheduleOptions { StateIntervalMs = 1_000, MaxPulls = 1 }, JobMachine.Build(observer, true), timers, observer, (_, _, done, turn) =>
        {
            begun++;
            deepest = Math.Max(deepest, ++depth);
            if (first is null) first = done;
            else done(turn);
            depth--;
        });
        var turn = new Turn();
        for (var i = 0; i < 100; i++) scheduler.Start(JobKind.State, new WorkerEntry($"w{i}", "k"), turn);
        for (turn.NowMs = 1; turn.NowMs <= 1_000; turn.NowMs++) timers.Advance(turn.NowMs, turn);
        Assert.Equal(1, begun);
        first!(turn);
        Assert.Equal((100, 1), (begun, deepest));
    }

    [Fact]
    public void A_job_that_was_stopped_while_it_waited_holds_up_none_behind_it()
    {
        var timers = new TimerWheel(0);
        var observer = new RecordingObserver();
        var begun = new List<(string Worker, Action<Turn> Done)>();
        var scheduler = new Scheduler(new ScheduleOptions { StateIntervalMs = 1_000, MaxPulls = 1 }, JobMachine.Build(observer, true), timers, observer, (_, worker, done, _) => begun.Add((worker.WorkerId, done)));
        var turn = new Turn();
        var workers = Enumerable.Range(0, 4).Select(i => new WorkerEntry($"w{i}", "k")).ToArray();
        foreach (var worker in workers) scheduler.Start(JobKind.State, worker, turn);
        for (turn.NowMs = 1; turn.NowMs <= 1_000; turn.NowMs++) timers.Advance(turn.NowMs, turn);
        Assert.Single(begun);
        var stopped = workers.Where(worker => worker.WorkerId != begun[0].Worker).Take(2).ToArray();
        foreach (var worker in stopped) scheduler.Stop(JobKind.State, worker);
        begun[0].Done(turn);
        Assert.Equal(2, begun.Count);
        Assert.DoesNotContain(stopped, worker => worker.WorkerId == begun[1].Worker);

        // Those that were stopped may start again.
        foreach (var worker in stopped) scheduler.Start(JobKind.State, worker, turn);
        for (var end = turn.NowMs + 1_000; turn.NowMs < end; turn.NowMs++) timers.Advance(turn.NowMs, turn);
        Assert.Equal(2, begun.Count);
        begun[1].Done(turn);
        begun[2].Done(turn);
        begun[3].Done(turn);
        Assert.Equal(workers.Select(static worker => worker.WorkerId), begun.Select(static job => job.Worker).Distinct().Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Jobs_of_all_Workers_begin_on_the_grid_of_the_schedule()
    {
        var timers = new TimerWheel(0);
        var observer = new RecordingObserver();
        var starts = new List<long>();
        var scheduler = new Scheduler(new ScheduleOptions { HealthIntervalMs = 1_000, StepMs = 50 }, JobMachine.Build(observer, true), timers, observer, (_, _, done, turn) =>
        {
            starts.Add(turn.NowMs);
            done(turn);
        });
        var turn = new Turn();
        for (var i = 0; i < 100; i++) scheduler.Start(JobKind.Health, new WorkerEntry($"w{i}", "k"), turn);
        for (turn.NowMs = 1; turn.NowMs <= 3_000; turn.NowMs++) timers.Advance(turn.NowMs, turn);
        Assert.Equal(300, starts.Count);
        Assert.All(starts, start => Assert.Equal(0, start % 50));
        Assert.Equal(20, starts.Where(start => start is > 1_000 and <= 2_000).Distinct().Count());
    }

    [Fact]
    public void A_job_that_is_due_while_it_runs_is_an_overrun_and_not_a_second_run()
    {
        var timers = new TimerWheel(0);
        var observer = new RecordingObserver();
        Action<Turn>? finish = null;
        var runs = 0;
        var scheduler = new Scheduler(new ScheduleOptions { HealthIntervalMs = 100 }, JobMachine.Build(observer, true), timers, observer, (_, _, done, _) =>
        {
            runs++;
            finish = done;
        });
        var turn = new Turn();
        scheduler.Start(JobKind.Health, new WorkerEntry("w", "k"), turn);
        for (turn.NowMs = 1; turn.NowMs <= 450; turn.NowMs++) timers.Advance(turn.NowMs, turn);
        Assert.Equal(1, runs);
        Assert.Contains(KernelEvent.JobOverrun, observer.Events);
        finish!(turn);
        for (; turn.NowMs <= 600; turn.NowMs++) timers.Advance(turn.NowMs, turn);
        Assert.Equal(2, runs);
    }
}
