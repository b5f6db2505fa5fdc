using System.Diagnostics;
using Ork.Kernel;
using OrkSim;

namespace Ork.Benchmarks;

/// <summary>How much of the whole is measured.</summary>
/// <param name="Root">A folder on the disk that is measured.</param>
/// <param name="Quick">True: short, the same things.</param>
/// <param name="Scale">How much load, as a factor of the plain one.</param>
internal sealed record MacroScope(string Root, bool Quick, double Scale)
{
    internal TimeSpan WarmUp => TimeSpan.FromSeconds(Quick ? 3.5 : 5);

    internal TimeSpan Duration => TimeSpan.FromSeconds(Quick ? 3.5 : 8);

    internal int Scaled(int count) => Math.Max(1, (int)(count * Scale));

    internal string NewDirectory() => Path.Combine(Root, Guid.NewGuid().ToString("n")[..8]);
}

/// <summary>What is measured, one function each.</summary>
internal static class Members
{
    private const int Workers = 100;
    private const int Devices = 100;
    private const int InFlight = 1_024;

    /// <summary>Commands one after the other: what a single order costs. It waits for two commits, one when it is accepted and one when it has ended; the goal is four syncs.</summary>
    internal static async Task<Figure> Commands1Async(MacroScope scope)
    {
        using var site = await PlainSiteAsync(scope, Workers);
        var (result, figure) = Commands(site, scope, 1, Group(site, Workers));
        var fsyncMs = Limits.FsyncMs(site.Directory);
        return figure with
        {
            Title = "commands, 1 in flight",
            LimitTitle = "4 syncs of a page",
            PerSecond = null,
            Ms = result.P50Ms,
            Limit = 4 * fsyncMs,
        };
    }

    /// <summary>Commands, many in flight.</summary>
    internal static async Task<Figure> Commands1024Async(MacroScope scope)
    {
        using var site = await PlainSiteAsync(scope, Workers);
        CommitShape[] shapes = [];
        var (_, figure) = Commands(site, scope, scope.Scaled(InFlight), Group(site, Workers), from => shapes = site.ShapesFrom(from));
        site.KillKernel();
        return figure with
        {
            Title = $"commands, {scope.Scaled(InFlight):n0} in flight",
            LimitTitle = "the store alone, same batches",
            Limit = await Limits.StorePerSecondAsync(site.Directory, shapes),
            AppendLimit = Limits.AppendPerSecond(site.Directory, shapes),
            RecordsEach = (double)shapes.Sum(static shape => (long)shape.New + shape.Changed + shape.Log) / Math.Max(1, shapes.Sum(static shape => (long)shape.New)),
            CommandsPerCommit = (double)shapes.Sum(static shape => (long)shape.New) / Math.Max(1, shapes.Length),
        };
    }

    /// <summary>Telemetry pulls through the kernel, against a relay that reads nothing.</summary>
    internal static async Task<Figure> Telemetry1024Async(MacroScope scope)
    {
        var inFlight = scope.Scaled(InFlight);
        using var site = await PlainSiteAsync(scope, Workers);
        var group = Group(site, Workers);
        ProcessUse? before = null, after = null;
        LoadResult result;
        using (var link = site.Connect())
        {
            result = Load.Pulls(link, Plan(scope, group, inFlight) with { Marked = begins => Mark(site, begins, ref before, ref after) });
        }

        site.KillKernel();
        return Each(result, before!, after!) with
        {
            Title = $"telemetry pulls, {inFlight:n0} in flight",
            LimitTitle = "bare relay, same frames and processes",
            Limit = Relayed(scope, inFlight),
        };
    }

    /// <summary>From the start of a kernel's process to its first welcome, with commands left in mid-flow.</summary>
    internal static async Task<Figure> RecoveryAsync(MacroScope scope, int commands)
    {
        using var site = new Site(scope.NewDirectory());
        var group = Group(site, Workers);
        await Limits.StrandAsync(site.Data, group, scope.Scaled(commands));
        var openMs = await Limits.OpenMsAsync(site.Data);
        var began = Stopwatch.GetTimestamp();
        site.StartKernel();
        site.UntilServing();
        var ms = Stopwatch.GetElapsedTime(began).TotalMilliseconds;
        return new Figure
        {
            Title = $"recovery with {scope.Scaled(commands):n0} stranded commands",
            LimitTitle = "the store alone, opened and read",
            Ms = ms,
            Limit = openMs,
            MemoryMb = site.Use().WorkingSetBytes / 1e6,
            StoreMb = StoreMb(site),
        };
    }

    /// <summary>Thousands of TLS Workers come back after a kernel's restart, while others' commands go on.</summary>
    internal static async Task<Figure> Storm2000Async(MacroScope scope)
    {
        var many = scope.Scaled(2_000);
        using var site = new Site(scope.NewDirectory(), new KernelOptions(), secure: true);
        site.StartKernel();
        var others = Group(site, Workers) with { PauseMs = 20 };
        var storm = new WorkerGroup(site.WorkersEndpoints[1], "storm", many, 10, PauseMs: 500);
        site.StartWorkers(others);
        site.StartWorkers(storm);
        await site.ReadyAsync(Workers, others.Prefix, TimeSpan.FromSeconds(60));
        await site.ReadyAsync(many, storm.Prefix, TimeSpan.FromSeconds(120));

        site.KillKernel();
        site.StartKernel();
        var began = Stopwatch.GetTimestamp();
        var all = Task.Run(async () =>
        {
            await site.ReadyAsync(many, storm.Prefix, TimeSpan.FromSeconds(120));
            return Stopwatch.GetElapsedTime(began).TotalMilliseconds;
        });
        using var link = site.Connect();
        var meanwhile = Load.Commands(link, Plan(scope, others, 16) with { WarmUp = TimeSpan.Zero, Duration = TimeSpan.FromMinutes(3), Ended = () => all.IsCompleted });
        return new Figure
        {
            Title = $"{many:n0} TLS Workers ready again after a restart (p50, p99: commands of {Workers} others meanwhile)",
            Ms = await all,
            P99Ms = meanwhile.P99Ms,
            LimitTitle = "as many bare TLS handshakes, nothing else asked meanwhile",
            Limit = await Limits.HandshakesMsAsync(many),
        };
    }

    /// <summary>What very many Workers cost that nobody asks anything of.</summary>
    internal static async Task<Figure> Idle10KAsync(MacroScope scope)
    {
        var many = scope.Scaled(10_000);
        var options = new KernelOptions { Links = new LinkOptions { MaxWorkers = Math.Max(20_000, many * 2) } };
        using var site = new Site(scope.NewDirectory(), options);
        site.StartKernel();
        var group = new WorkerGroup(site.WorkersEndpoints[0], "idle", many, 10, PauseMs: 2_000);
        site.StartWorkers(group);
        await site.ReadyAsync(many, group.Prefix, TimeSpan.FromMinutes(3));
        await Task.Delay(TimeSpan.FromSeconds(10));
        var (before, began) = (site.Use(), Stopwatch.GetTimestamp());
        await Task.Delay(TimeSpan.FromSeconds(20));
        var after = site.Use();
        var wallMs = Stopwatch.GetElapsedTime(began).TotalMilliseconds;
        site.KillWorkers();
        site.KillKernel();
        var schedule = options.Schedule;
        var perSecond = many * ((1_000.0 / schedule.HealthIntervalMs) + (1_000.0 / schedule.StateIntervalMs) + (1_000.0 / schedule.TelemetryIntervalMs));
        return new Figure
        {
            LimitTitle = $"a bare relay of as many frames, {perSecond:n0}/s",
            Limit = RelayedAtPace(scope, many, perSecond),
            Title = $"{many:n0} idle Workers x 10 devices, milliseconds of a core in each second",
            Ms = (after.CpuMs - before.CpuMs) / wallMs * 1_000,
            CoreShare = (after.CpuMs - before.CpuMs) / wallMs,
            MemoryMb = after.WorkingSetBytes / 1e6,
        };
    }

    /// <summary>A million commands with retention: the last tenth's pace against the second's.</summary>
    internal static async Task<Figure> Steady1MAsync(MacroScope scope)
    {
        long commands = scope.Scaled(1_000_000);
        using var site = await PlainSiteAsync(scope, Workers, new KernelOptions { Commands = new CommandOptions { MaxSettled = 100_000 } });
        var paces = new List<double>();
        var last = Stopwatch.GetTimestamp();
        using var link = site.Connect();
        var result = Load.Commands(link, Plan(scope, Group(site, Workers), InFlight) with
        {
            Duration = TimeSpan.FromHours(1),
            Calls = commands,
            Every = (commands / 10, _ =>
            {
                paces.Add(commands / 10 / Stopwatch.GetElapsedTime(last).TotalSeconds);
                last = Stopwatch.GetTimestamp();
            }),
        });
        return new Figure
        {
            Title = $"{commands:n0} commands with 100,000 kept: the pace of the last tenth",
            LimitTitle = "the pace of the second tenth, the first that is warm",
            PerSecond = paces[^1],
            Limit = paces[1],
            P50Ms = result.P50Ms,
            P99Ms = result.P99Ms,
            StoreMb = StoreMb(site),
            MemoryMb = site.Use().WorkingSetBytes / 1e6,
        };
    }

    /// <summary>Simulated worlds, all scenarios by turns.</summary>
    internal static Task<Figure> SimAsync(MacroScope scope, Gear gear)
    {
        using var child = Child.Start("sim", new SimSetup(gear, scope.Quick ? 3 : 30, scope.Quick ? 3 : 30), out _, ExplorationRuntime.Variables(Environment.ProcessorCount, scope.Quick ? TimeSpan.FromSeconds(6) : ExplorationRuntime.ProfilingPays));
        var speed = child.Ask<SimSpeed>("measure");
        return Task.FromResult(new Figure
        {
            Title = $"simulated steps in {gear}, every scenario{(gear == Gear.Swarm ? ", all cores" : ", one core")}",
            LimitTitle = "bare steps: a timer and an await, nothing checked",
            PerSecond = speed.StepsPerSecond,
            Limit = speed.BareStepsPerSecond,
            TimeRatio = speed.TimeRatio,
            MedianTimeRatio = speed.MedianTimeRatio > 0 ? speed.MedianTimeRatio : null,
            BytesEach = speed.BytesPerStep,
        });
    }

    private static WorkerGroup Group(Site site, int workers) => new(site.WorkersEndpoints[0], "bench", workers, Devices);

    private static async Task<Site> PlainSiteAsync(MacroScope scope, int workers, KernelOptions? options = null)
    {
        var site = new Site(scope.NewDirectory(), options);
        site.StartKernel();
        site.StartWorkers(Group(site, workers));
        await site.ReadyAsync(workers, "bench", TimeSpan.FromSeconds(60));
        return site;
    }

    private static LoadPlan Plan(MacroScope scope, WorkerGroup group, int inFlight) =>
        new() { Devices = group.AllDevices, InFlight = inFlight, WarmUp = scope.WarmUp, Duration = scope.Duration };

    private static (LoadResult Result, Figure Figure) Commands(Site site, MacroScope scope, int inFlight, WorkerGroup group, Action<int>? measured = null)
    {
        ProcessUse? before = null, after = null;
        using var link = site.Connect();
        var result = Load.Commands(link, Plan(scope, group, inFlight) with { Marked = begins => Mark(site, begins, ref before, ref after) });
        measured?.Invoke(before!.Commits);
        return (result, Each(result, before!, after!));
    }

    private static void Mark(Site site, bool begins, ref ProcessUse? before, ref ProcessUse? after)
    {
        if (begins) before = site.Use();
        else after = site.Use();
    }

    private static Figure Each(LoadResult result, ProcessUse before, ProcessUse after) => new()
    {
        PerSecond = result.PerSecond,
        P50Ms = result.P50Ms,
        P99Ms = result.P99Ms,
        BytesEach = (after.AllocatedBytes - before.AllocatedBytes) / (double)result.Calls,
        KernelCpuUs = (after.CpuMs - before.CpuMs) * 1_000 / result.Calls,
    };

    private static double Relayed(MacroScope scope, int inFlight)
    {
        using var relay = new Relay(scope, "bench", Workers, Devices);
        using var link = relay.Connect();
        return Load.Pulls(link, Plan(scope, relay.Group, inFlight)).PerSecond;
    }

    /// <summary>Milliseconds of a core in each second that a bare relay takes to pass on so many pulls a second to so many Workers, each on a link of its own.</summary>
    private static double RelayedAtPace(MacroScope scope, int workers, double perSecond)
    {
        using var relay = new Relay(scope, "idle", workers, 1);
        using var link = relay.Connect();
        Load.Pace(link, relay.Group.AllDevices, perSecond, TimeSpan.FromSeconds(3));
        var (before, began) = (relay.Use().CpuMs, Stopwatch.GetTimestamp());
        Load.Pace(link, relay.Group.AllDevices, perSecond, TimeSpan.FromSeconds(10));
        return (relay.Use().CpuMs - before) / Stopwatch.GetElapsedTime(began).TotalSeconds;
    }

    private static double StoreMb(Site site) => Directory.EnumerateFiles(site.Data).Sum(static file => new FileInfo(file).Length) / 1e6;

    /// <summary>The bare relay and its Workers, each a process.</summary>
    private sealed class Relay : IDisposable
    {
        private readonly string _directory;
        private readonly Child _relay;
        private readonly Child _workers;

        internal Relay(MacroScope scope, string prefix, int workers, int devices)
        {
            _directory = scope.NewDirectory();
            Directory.CreateDirectory(_directory);
            Group = new WorkerGroup($"unix:{Path.Combine(_directory, "workers.sock")}", prefix, workers, devices);
            _relay = Child.Start("relay", new[] { CallersPath, Path.Combine(_directory, "workers.sock") }, out _);
            _workers = Child.Start("workers", new[] { Group }, out _);
            while (Use().Links < workers) Thread.Sleep(10);
        }

        internal WorkerGroup Group { get; }

        private string CallersPath => Path.Combine(_directory, "callers.sock");

        internal FrameSocket Connect() => FrameSocket.Greet(CallersPath, new Ork.Protocol.Greeting(Ork.Protocol.Greeting.Caller));

        internal RelayUse Use() => _relay.Ask<RelayUse>("use");

        public void Dispose()
        {
            _workers.Dispose();
            _relay.Dispose();
            Directory.Delete(_directory, recursive: true);
        }
    }
}
