using System.Diagnostics;
using Ork.Cli.Fleet;
using Ork.Cli.Hosting;
using Ork.Client;
using Ork.Protocol;
using Ork.Transport;

namespace Ork.Cli.Demo;

/// <summary>What an observer of a demonstration is told while it runs.</summary>
internal sealed class DemoProgress
{
    private int _accepted;
    private int _ended;

    internal int Accepted => Volatile.Read(ref _accepted);

    internal int Ended => Volatile.Read(ref _ended);

    internal string Phase { get; set; } = "starting";

    internal void CountAccepted() => Interlocked.Increment(ref _accepted);

    internal void CountEnded() => Interlocked.Increment(ref _ended);
}

/// <summary>
/// Runs a kernel and a Worker host as processes of their own, sends commands from this one, kills both at moments chosen by the seed, and waits until every
/// command has ended.
/// </summary>
internal sealed class DemoRun : IDisposable
{
    private static readonly TimeSpan HangPatience = TimeSpan.FromSeconds(25);
    private static readonly TimeSpan ServicePatience = TimeSpan.FromSeconds(60);

    private readonly DemoPlan _plan;
    private readonly FleetPlan _fleet;
    private readonly ChildProcess _kernel;
    private readonly ChildProcess _host;
    private readonly string _data;
    private readonly Sent[] _sent;
    private readonly List<long> _recoveryMs = [];
    private readonly string _hangFile;
    private readonly HashSet<string> _circuitsOpened = new(StringComparer.Ordinal);
    private int _othersLeft;
    private volatile bool _hasHung;
    private volatile bool _hangs;

    // No command far behind the next kill's moment is sent before that kill: each one strikes in mid-flow.
    private int _nextKillAt = int.MaxValue;

    internal DemoRun(DemoPlan plan, string directory)
    {
        _plan = plan;
        _fleet = new FleetPlan(plan.Workers, plan.Devices);
        Directory = directory;
        _data = Path.Combine(directory, "kernel");
        ExecutionsPath = Path.Combine(directory, "executions.log");
        _hangFile = Path.Combine(directory, "hang");
        _kernel = new ChildProcess(Path.Combine(directory, "kernel.log"), "kernel", "run", "--data", _data);
        _host = new ChildProcess(
            Path.Combine(directory, "workers.log"), "worker", "sim", "--count", $"{plan.Workers}", "--devices", $"{plan.Devices}",
            "--connect", Defaults.WorkerEndpoint(_data), "--data", Path.Combine(directory, "fleet"), "--executions", ExecutionsPath,
            "--hang", $"{plan.HangWorkers}", "--hang-file", _hangFile);
        var random = new Random(plan.Seed);
        _sent = [.. Enumerable.Range(0, plan.Commands).Select(number => Draw(random, number))];
        _othersLeft = _sent.Count(sent => !sent.IsForHanging);
        KernelKillsAt = KillMoments(random, plan.KernelKills);
        WorkerKillsAt = KillMoments(random, plan.WorkerKills);
    }

    internal string Directory { get; }

    internal string StoreDirectory => _data;

    internal string ExecutionsPath { get; }

    internal DemoProgress Progress { get; } = new();

    /// <summary>Counts of accepted commands at which the kernel is killed.</summary>
    internal IReadOnlyList<int> KernelKillsAt { get; }

    /// <summary>Counts of accepted commands at which the Worker host is killed.</summary>
    internal IReadOnlyList<int> WorkerKillsAt { get; }

    internal IReadOnlyList<Sent> Commands => _sent;

    internal IReadOnlyList<long> RecoveryMs => _recoveryMs;

    internal TimeSpan Elapsed { get; private set; }

    /// <summary>Workers whose circuits were seen open while they hung.</summary>
    internal int CircuitsOpened => _circuitsOpened.Count;

    /// <summary>How long commands to Workers that never hang took, sorted, milliseconds: those sent before any Worker hung, or while some did.</summary>
    internal IReadOnlyList<double> Latencies(bool duringHang) => _plan.HangWorkers == 0 ? [] :
        [.. _sent.Where(sent => !sent.IsForHanging && sent.End is not null && (duringHang ? sent.SentDuringHang : sent.SentBeforeHang)).Select(sent => sent.TookMs).Order()];

    /// <summary>Runs it all.</summary>
    internal async Task RunAsync(CancellationToken cancellation)
    {
        _kernel.Start();
        _host.Start();
        await using var client = NewClient("demo");
        await using var watcher = NewClient("demo-watch");
        Progress.Phase = "waiting for Workers";
        await InServiceAsync(watcher, cancellation);
        Progress.Phase = "sending";
        using var failed = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var kills = KillAsync(watcher, failed.Token);
        var hang = HangAsync(watcher, failed.Token);
        var sending = SendAllAsync(client, failed.Token);
        if (await Task.WhenAny([kills, sending]) is { IsCompletedSuccessfully: false } broken)
        {
            await failed.CancelAsync();
            await broken;
        }

        await Task.WhenAll([kills, hang, sending]);
        Progress.Phase = "stopping";
        await _kernel.StopAsync(TimeSpan.FromSeconds(30));
        await _host.StopAsync(TimeSpan.FromSeconds(10));
    }

    private async Task SendAllAsync(OrkClient client, CancellationToken cancellation)
    {
        var clock = Stopwatch.StartNew();
        await Task.WhenAll([SendAsync(client, forHanging: false, cancellation), SendAsync(client, forHanging: true, cancellation)]);
        Elapsed = clock.Elapsed;
    }

    /// <summary>Those for Workers that hang have places of their own: what is measured is the kernel, not this program's queue.</summary>
    private async Task SendAsync(OrkClient client, bool forHanging, CancellationToken cancellation)
    {
        using var places = new SemaphoreSlim(_plan.InFlight);
        var flows = new List<Task>(_sent.Length);
        foreach (var (sent, number) in _sent.Select((sent, number) => (sent, number)).Where(one => one.sent.IsForHanging == forHanging))
        {
            await places.WaitAsync(cancellation);
            while (number - (_plan.InFlight / 2) > Volatile.Read(ref _nextKillAt)) await Task.Delay(1, cancellation);
            flows.Add(FlowAsync(client, sent, places, cancellation));
        }

        await Task.WhenAll(flows);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _kernel.Dispose();
        _host.Dispose();
    }

    private OrkClient NewClient(string name) => new(
        new ClientOptions { Endpoint = LinkEndpoint.TryParse(Defaults.CallerEndpoint(_data))!, Name = name, TimeoutMs = 60_000 },
        new ClientPorts { Network = new SocketNetwork(new SocketNetworkOptions()), Entropy = new SystemEntropy() });

    private Sent Draw(Random random, int number)
    {
        var worker = random.Next(1, _plan.Workers + 1);
        var device = _fleet.DeviceId(worker, random.Next(1, _plan.Devices + 1));
        var (command, parameters) = random.Next(10) switch
        {
            0 or 1 => ("reboot", new { } as object),
            2 or 3 or 4 => ("set-power-mode", new { mode = random.Next(2) == 0 ? "low" : "normal" }),
            5 or 6 or 7 => ("set-power-pct", new { pct = random.Next(40, 101) }),
            _ => ("set-led", new { on = random.Next(2) == 0 }),
        };
        return new Sent(new CommandOrder { Command = command, DeviceId = device, Params = parameters, IdempotencyKey = $"demo-{_plan.Seed}-{number}" }) { IsForHanging = worker > _plan.Workers - _plan.HangWorkers };
    }

    /// <summary>Spread over the run, each at a moment drawn from its own stretch of it.</summary>
    private List<int> KillMoments(Random random, int kills) =>
        [.. Enumerable.Range(0, kills).Select(kill => (int)(_plan.Commands * (0.05 + (0.9 * (kill + random.NextDouble()) / kills))))];

    /// <summary>One caller's way with one command: until it is accepted, then until it has ended.</summary>
    private async Task FlowAsync(OrkClient client, Sent sent, SemaphoreSlim places, CancellationToken cancellation)
    {
        var begun = Stopwatch.GetTimestamp();
        (sent.SentBeforeHang, sent.SentDuringHang) = (!_hasHung, _hangs);
        try
        {
            while (sent.CommandId is null)
            {
                try
                {
                    sent.CommandId = (await client.SendAsync(sent.Order, cancellation)).CommandId;
                    Progress.CountAccepted();
                }
                catch (OrkRefusedException refused) when (refused.RetryAfterMs is not null || refused.Is(ErrorCodes.KernelUnavailable))
                {
                    await Task.Delay((int)(refused.RetryAfterMs ?? 200), cancellation);
                }
            }

            sent.End = await WaitAsync(client, sent.CommandId, cancellation);
            sent.TookMs = Stopwatch.GetElapsedTime(begun).TotalMilliseconds;
            if (!sent.IsForHanging) Interlocked.Decrement(ref _othersLeft);
            Progress.CountEnded();
        }
        finally
        {
            places.Release();
        }
    }

    private static async Task<CommandView> WaitAsync(OrkClient client, string commandId, CancellationToken cancellation)
    {
        while (true)
        {
            try
            {
                return await client.WaitAsync(commandId, cancellation);
            }
            catch (OrkRefusedException refused) when (refused.Is(ErrorCodes.KernelUnavailable))
            {
                // The kernel is being restarted; the command is as durable as before.
            }
        }
    }

    /// <summary>A quarter into the run devices hang: until the others' commands have ended and the circuits have opened, or patience has.</summary>
    private async Task HangAsync(OrkClient watcher, CancellationToken cancellation)
    {
        if (_plan.HangWorkers == 0) return;
        while (Progress.Accepted < _plan.Commands / 4) await Task.Delay(1, cancellation);
        await File.WriteAllTextAsync(_hangFile, "", cancellation);
        _hangs = _hasHung = true;
        var clock = Stopwatch.StartNew();
        while (clock.Elapsed < HangPatience && (Volatile.Read(ref _othersLeft) > 0 || CircuitsOpened < _plan.HangWorkers))
        {
            await Task.Delay(100, cancellation);
            try
            {
                foreach (var worker in (await watcher.WorkersAsync(cancellation: cancellation)).Workers)
                {
                    if (worker.Circuit is "Open" or "HalfOpen") _circuitsOpened.Add(worker.WorkerId);
                }
            }
            catch (OrkRefusedException) when (!_kernel.HasExited)
            {
                // The kernel is being restarted.
            }
        }

        _hangs = false;
        File.Delete(_hangFile);
    }

    private async Task KillAsync(OrkClient watcher, CancellationToken cancellation)
    {
        var kills = KernelKillsAt.Select(at => (at, _kernel, "kernel")).Concat(WorkerKillsAt.Select(at => (at, _host, "Worker host")))
            .OrderBy(kill => kill.at).ToArray();
        Volatile.Write(ref _nextKillAt, kills.Length == 0 ? int.MaxValue : kills[0].at);
        for (var kill = 0; kill < kills.Length; kill++)
        {
            var (at, process, name) = kills[kill];
            while (Progress.Accepted < Math.Min(at, _plan.Commands - 1) && Progress.Ended < _plan.Commands) await Task.Delay(1, cancellation);
            var clock = Stopwatch.StartNew();
            Progress.Phase = $"killed the {name}";
            process.Kill();
            Volatile.Write(ref _nextKillAt, kill + 1 < kills.Length ? kills[kill + 1].at : int.MaxValue);
            process.Start();
            await InServiceAsync(watcher, cancellation);
            _recoveryMs.Add(clock.ElapsedMilliseconds);
            Progress.Phase = "sending";
        }
    }

    /// <summary>Waits until every Worker is linked, ready and healthy.</summary>
    private async Task InServiceAsync(OrkClient watcher, CancellationToken cancellation)
    {
        var patience = Stopwatch.StartNew();
        while (true)
        {
            try
            {
                var fleet = await watcher.WorkersAsync(cancellation: cancellation);
                if (fleet.Workers.Count(worker => worker is { Linked: true, State: "Ready", Health: "Healthy" }) == _plan.Workers) return;
            }
            catch (OrkRefusedException) when (!_kernel.HasExited)
            {
                // Not up yet.
            }

            if (_kernel.HasExited || _host.HasExited || patience.Elapsed > ServicePatience)
            {
                throw new DemoException($"The kernel or the Workers did not come into service; see the logs in {Directory}.");
            }

            await Task.Delay(5, cancellation);
        }
    }
}

/// <summary>A command as its caller knows it.</summary>
internal sealed class Sent(CommandOrder order)
{
    internal CommandOrder Order { get; } = order;

    /// <summary>True where its Worker is one that hangs for a while.</summary>
    internal bool IsForHanging { get; init; }

    internal bool SentBeforeHang { get; set; }

    internal bool SentDuringHang { get; set; }

    /// <summary>Milliseconds from first asking to its end.</summary>
    internal double TookMs { get; set; }

    /// <summary>The id it was accepted under.</summary>
    internal string? CommandId { get; set; }

    /// <summary>How it ended, as the caller was told.</summary>
    internal CommandView? End { get; set; }
}

/// <summary>A demonstration that could not be carried through.</summary>
internal sealed class DemoException(string message) : Exception(message);
