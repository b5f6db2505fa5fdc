using System.Diagnostics;
using Microsoft.Extensions.Time.Testing;
using Ork.Protocol;

namespace Ork.Kernel.Tests;

/// <summary>Sessions on the wire: pull-only, windows and congestion, on a connection that the test plays.</summary>
public sealed class SessionTests
{
    private readonly PlayedConnection _connection = new();
    private readonly Mailbox<Input> _inbox = new(100);
    private readonly RecordingObserver _observer = new();
    private readonly List<Input> _taken = [];

    [Fact]
    public async Task S9_a_Workers_session_lets_one_answer_in_for_each_request_and_nothing_else()
    {
        var session = WorkerSession();
        var running = session.RunAsync();
        session.Send(FrameKind.Request, 7, default);
        _connection.Arrive(FrameKind.Response, 7);
        _connection.Arrive(FrameKind.Response, 7);
        _connection.Arrive(FrameKind.Response, 8);
        await running;
        Assert.Equal([InputKind.LinkUp, InputKind.WorkerAnswer, InputKind.LinkDown], Taken());
        Assert.Equal(ErrorCodes.PullOnlyViolation, _connection.CloseReason!.Error);
        Assert.Equal([KernelEvent.PullOnlyViolation], _observer.Events);
    }

    [Fact]
    public async Task A_Workers_full_output_is_told_once_and_again_when_it_has_drained()
    {
        var session = WorkerSession();
        var running = session.RunAsync();
        _connection.HasRoom = false;
        session.Send(FrameKind.Request, 1, default);
        session.Send(FrameKind.Request, 2, default);
        Assert.Equal([InputKind.LinkUp, InputKind.LinkCongested], Taken());
        _connection.HasRoom = true;

        // Room was made, and used up before it was heard of.
        _connection.Drain();
        await UntilAsync(() => _connection.Awaited >= 2);
        Assert.Equal([InputKind.LinkUp, InputKind.LinkCongested], Taken());
        _connection.Drain();
        await UntilAsync(() => Taken().Contains(InputKind.LinkDrained));
        session.Send(FrameKind.Request, 3, default);
        _connection.Close(null);
        await running;
        Assert.Equal([InputKind.LinkUp, InputKind.LinkCongested, InputKind.LinkDrained, InputKind.LinkDown], Taken());
    }

    [Fact]
    public async Task S12_a_caller_has_no_more_requests_under_way_than_its_window()
    {
        var session = new CallerSession(1, _connection, _inbox, [1], window: 3, TimeProvider.System);
        var running = session.RunAsync();
        for (var i = 0; i < 10; i++) _connection.Arrive(FrameKind.Request, (ulong)i);
        for (var answered = 0; answered < 10; answered++)
        {
            var until = Math.Min(10, answered + 3);
            await UntilAsync(() => Taken().Count >= until);
            Assert.Equal(until, Taken().Count);
            session.Send(FrameKind.Response, (ulong)answered, default);
        }

        _connection.Close(null);
        await running;
        Assert.Equal(InputKind.CallerGone, Taken()[^1]);
    }

    [Fact]
    public async Task A_caller_is_idle_from_when_it_came_or_its_last_answer_left_and_not_while_it_waits_for_one()
    {
        var time = new FakeTimeProvider();
        var session = new CallerSession(1, _connection, _inbox, [1], window: 3, time);
        var running = session.RunAsync();
        time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(TimeSpan.FromMinutes(1), session.Idle);
        _connection.Arrive(FrameKind.Request, 1);
        _connection.Arrive(FrameKind.Request, 2);
        await UntilAsync(() => Taken().Count >= 2);
        session.Send(FrameKind.Response, 1, default);
        time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(TimeSpan.Zero, session.Idle);
        session.Send(FrameKind.Response, 2, default);
        time.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal(TimeSpan.FromMinutes(2), session.Idle);
        _connection.Close(null);
        await running;
    }

    [Fact]
    public async Task A_callers_session_that_is_closed_with_a_full_window_comes_to_its_end()
    {
        var session = new CallerSession(1, _connection, _inbox, [1], window: 1, TimeProvider.System);
        var running = session.RunAsync();
        _connection.Arrive(FrameKind.Request, 1);
        await UntilAsync(() => Taken().Count >= 1);

        // One more was received already when the kernel closed the session and its inbox.
        _connection.OutlivesItsClose = true;
        session.Close(ErrorCodes.KernelUnavailable);
        _inbox.Close();
        _connection.Arrive(FrameKind.Request, 2);
        await running.WaitAsync(TimeSpan.FromMinutes(1));
    }

    [Fact]
    public async Task A_caller_that_does_not_read_its_answers_is_not_read_from()
    {
        var session = new CallerSession(1, _connection, _inbox, [1], window: 100, TimeProvider.System);
        var running = session.RunAsync();
        _connection.Arrive(FrameKind.Request, 1);
        await UntilAsync(() => Taken().Count >= 1);
        _connection.HasRoom = false;
        session.Send(FrameKind.Response, 1, default);
        _connection.Arrive(FrameKind.Request, 2);
        await UntilAsync(() => _connection.Awaited >= 1);
        Assert.Single(Taken());

        // Room was made, and used up before it was heard of.
        session.Send(FrameKind.Response, 1, default);
        _connection.Drain();
        await UntilAsync(() => _connection.Awaited >= 2);
        Assert.Single(Taken());
        _connection.Drain();
        await UntilAsync(() => Taken().Count >= 2);
        _connection.Close(null);
        await running;
    }

    [Fact]
    public async Task A_callers_greeting_is_answered_and_what_a_caller_may_not_send_ends_its_link()
    {
        var running = new CallerSession(1, _connection, _inbox, [1, 2], window: 5, TimeProvider.System).RunAsync();
        _connection.Arrive(FrameKind.Hello, 0);
        _connection.Arrive(FrameKind.Response, 4);
        await running;
        Assert.Equal([FrameKind.Welcome], _connection.Sent);
        Assert.Equal(ErrorCodes.HandshakeInvalid, _connection.CloseReason!.Error);
        Assert.Equal([InputKind.CallerGone], Taken());
    }

    /// <summary>What a mistake keeps from coming about must fail the test and not hang it.</summary>
    private static async Task UntilAsync(Func<bool> isSo)
    {
        var waited = Stopwatch.StartNew();
        while (!isSo())
        {
            Assert.True(waited.Elapsed < TimeSpan.FromMinutes(1), "It did not come about within a minute.");
            await Task.Yield();
        }
    }

    private WorkerSession WorkerSession() => new(1, _connection, new LinkGreeting("w", _connection.Peer, null), _inbox, _observer);

    private List<InputKind> Taken()
    {
        _inbox.Take(_taken, 100);
        return [.. _taken.Select(input => input.Kind)];
    }

    private sealed class PlayedConnection : IConnection
    {
        private readonly Arrivals<ReceivedFrame> _arrived = new();
        private TaskCompletionSource _drained = new();
        private int _awaited;

        public PeerIdentity Peer => new("key", "played");

        public Refusal? CloseReason { get; private set; }

        internal bool HasRoom { get; set; } = true;

        /// <summary>True where what arrives after its close is received all the same, as what was on its way to its reader is.</summary>
        internal bool OutlivesItsClose { get; set; }

        internal List<FrameKind> Sent { get; } = [];

        public async ValueTask<ReceivedFrame?> ReceiveAsync() => await _arrived.WaitAsync() && _arrived.TryTake(out var frame) ? frame : null;

        public bool Send(FrameKind kind, ulong correlation, ReadOnlySpan<byte> payload)
        {
            lock (Sent) Sent.Add(kind);
            return HasRoom;
        }

        /// <summary>How often somebody has begun to wait for room.</summary>
        internal int Awaited => Volatile.Read(ref _awaited);

        public ValueTask DrainedAsync()
        {
            var drained = _drained.Task;
            Interlocked.Increment(ref _awaited);
            return new ValueTask(drained);
        }

        public void Close(Refusal? reason)
        {
            CloseReason ??= reason;
            if (!OutlivesItsClose) _arrived.Close();
        }

        /// <summary>Room was made.</summary>
        internal void Drain()
        {
            var drained = _drained;
            _drained = new TaskCompletionSource();
            drained.SetResult();
        }

        internal void Arrive(FrameKind kind, ulong correlation) => _arrived.Offer(new ReceivedFrame(kind, correlation, default));
    }
}
