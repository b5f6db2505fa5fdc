using Ork.Kernel;
using Ork.Protocol;

namespace OrkSim;

internal sealed class WorkerCrashFault : IFault
{
    public string Name => "worker-crash";

    public string Says => "A Worker's process dies, or its machine with it; its journal outlives it where it has one that does.";

    public FaultKeys Keys { get; } = new() { For = new FaultKey("downFor", "How long until it is started again."), Nasty = new FaultKey("silent", "How likely its machine dies with it, so that nobody is told.") };

    public Task StrikeAsync(SimWorld world, FaultSpec spec, TimeSpan length)
    {
        world.CrashWorker(world.Draws.Of(world.Workers), length, world.Draws.Chance(spec.Nasty.Min));
        return Task.CompletedTask;
    }
}

internal sealed class WorkerStopFault : IFault
{
    public string Name => "worker-stop";

    public string Says => "A Worker is told to stop, as for an upgrade: it finishes what it has begun, and is started again.";

    public FaultKeys Keys { get; } = new() { For = new FaultKey("downFor", "How long until it is started again, once it has stopped.") };

    public Task StrikeAsync(SimWorld world, FaultSpec spec, TimeSpan length)
    {
        world.StopWorker(world.Draws.Of(world.Workers), length);
        return Task.CompletedTask;
    }
}

internal sealed class WorkerFailoverFault : IFault
{
    public string Name => "worker-failover";

    public string Says => "A Worker's machine dies and its standby takes over, with its key and a journal of its own; the next time it is the first one's turn again.";

    public FaultKeys Keys { get; } = new() { For = new FaultKey("downFor", "How long until the standby is started."), Nasty = new FaultKey("silent", "How likely nobody is told that the machine died.") };

    public Task StrikeAsync(SimWorld world, FaultSpec spec, TimeSpan length)
    {
        world.FailOver(world.Draws.Of(world.Workers), length, world.Draws.Chance(spec.Nasty.Min));
        return Task.CompletedTask;
    }
}

internal sealed class WorkerRefitFault : IFault
{
    public string Name => "worker-refit";

    public string Says => "A Worker comes back refitted: with or without a command in its contract, or with no journal any more that outlives it.";

    public FaultKeys Keys { get; } = new() { For = new FaultKey("downFor", "How long until it is started again."), Nasty = new FaultKey("journalGone", "How likely its journal is gone for good.") };

    public Task StrikeAsync(SimWorld world, FaultSpec spec, TimeSpan length)
    {
        var worker = world.Draws.Of(world.Workers);
        if (!worker.Node.IsUp) return Task.CompletedTask;
        worker.LacksReboot = world.Draws.Pick(DrawKind.Pick, 2) == 1;
        worker.KeepsJournal &= !world.Draws.Chance(spec.Nasty.Min);
        world.CrashWorker(worker, length);
        return Task.CompletedTask;
    }
}

internal sealed class WorkerHangFault : IFault
{
    public string Name => "worker-hang";

    public string Says => "A Worker stops in its tracks, then goes on as if nothing had been.";

    public FaultKeys Keys => FaultKeys.Lasting;

    public async Task StrikeAsync(SimWorld world, FaultSpec spec, TimeSpan length)
    {
        var node = world.Draws.Of(world.Workers).Node;
        world.Freeze(node);
        await world.Delay(length);
        world.Thaw(node);
    }
}

internal sealed class WorkerUnnamedFault : IFault
{
    /// <summary>Its name in scenarios.</summary>
    internal const string Kind = "worker-unnamed";

    public string Name => Kind;

    public string Says => "Discovery does not name a Worker that is to be dialled, for a while.";

    public FaultKeys Keys => FaultKeys.Lasting;

    public async Task StrikeAsync(SimWorld world, FaultSpec spec, TimeSpan length)
    {
        var dialled = world.Workers.Where(static worker => worker.Options.Listen is not null).ToArray();
        if (dialled.Length == 0) return;
        var worker = world.Draws.Of(dialled);
        world.LeaveOut(worker, true);
        await world.Delay(length);
        world.LeaveOut(worker, false);
    }
}

internal sealed class DiscoveryCutFault : IFault
{
    public string Name => "discovery-cut";

    public string Says => "What tells whom to dial is out of reach, for a while.";

    public FaultKeys Keys => FaultKeys.Lasting;

    public async Task StrikeAsync(SimWorld world, FaultSpec spec, TimeSpan length)
    {
        world.CutDiscovery(true);
        await world.Delay(length);
        world.CutDiscovery(false);
    }
}

internal sealed class WorkerReaddressedFault : IFault
{
    /// <summary>Its name in scenarios.</summary>
    internal const string Kind = "worker-readdressed";

    public string Name => Kind;

    public string Says => "A Worker that is dialled comes back at another address, of which discovery tells.";

    public FaultKeys Keys { get; } = new() { For = new FaultKey("downFor", "How long until it is started again.") };

    public Task StrikeAsync(SimWorld world, FaultSpec spec, TimeSpan length)
    {
        var dialled = world.Workers.Where(static worker => worker.Options.Listen is not null).ToArray();
        if (dialled.Length > 0) world.Readdress(world.Draws.Of(dialled), length);
        return Task.CompletedTask;
    }
}

internal sealed class WorkerMuteFault : IFault
{
    public string Name => "worker-mute";

    public string Says => "Workers answer pings, but neither commands nor pulls: their devices hang.";

    public FaultKeys Keys { get; } = new() { For = new FaultKey("for", "How long it lasts."), Fraction = new FaultKey("fraction", "How likely each Worker is struck.") };

    public async Task StrikeAsync(SimWorld world, FaultSpec spec, TimeSpan length)
    {
        var struck = world.Workers.Where(_ => world.Draws.Chance(spec.Fraction.Min)).ToArray();
        foreach (var worker in struck) world.Mute(worker);
        await world.Delay(length);
        foreach (var worker in struck) world.Unmute(worker);
    }
}

internal sealed class JournalFailsFault : IFault
{
    public string Name => "journal-fails";

    public string Says => "A Worker's journal cannot be written for a while.";

    public FaultKeys Keys => FaultKeys.Lasting;

    public async Task StrikeAsync(SimWorld world, FaultSpec spec, TimeSpan length)
    {
        var journal = world.Draws.Of(world.Workers).Journal;
        journal.Fails = true;
        await world.Delay(length);
        journal.Fails = false;
    }
}

internal sealed class OperatorHoldFault : IFault
{
    public string Name => "operator-hold";

    public string Says => "An operator isolates a Worker, or holds its circuit closed, and restores it later.";

    public FaultKeys Keys { get; } = new() { For = new FaultKey("for", "How long it lasts."), Nasty = new FaultKey("closed", "How likely the circuit is held closed, instead of open.") };

    public async Task StrikeAsync(SimWorld world, FaultSpec spec, TimeSpan length)
    {
        var troubled = world.Workers.Where(worker => world.Facts.CircuitOf(worker.Node.Name) != KernelEvent.CircuitClosed).ToArray();
        var worker = world.Draws.Of(troubled.Length > 0 ? troubled : world.Workers);
        world.Hold(worker, world.Draws.Chance(spec.Nasty.Min) ? CircuitHold.Closed : CircuitHold.Open);
        await world.Delay(length);
        world.Hold(worker, CircuitHold.None);
    }
}

internal sealed class WorkerFlapFault : IFault
{
    public string Name => "worker-flap";

    public string Says => "A Worker loses its link again and again.";

    public FaultKeys Keys => FaultKeys.Lasting;

    public async Task StrikeAsync(SimWorld world, FaultSpec spec, TimeSpan length)
    {
        var node = world.Draws.Of(world.Workers).Node;
        var until = world.Scheduler.Now + length;
        while (world.FaultsOn && world.Scheduler.Now < until)
        {
            foreach (var link in node.Connections.ToArray()) link.Reset();
            await world.Delay(world.Draws.Between(TimeSpan.FromMilliseconds(20), TimeSpan.FromMilliseconds(800)));
        }
    }
}

internal sealed class WorkerTerminateFault : IFault
{
    public string Name => "worker-terminate";

    public string Says => "An operator takes a Worker out of service for good, one that is in trouble rather than another, and may still try to hold its circuit then.";

    public FaultKeys Keys => FaultKeys.None;

    public async Task StrikeAsync(SimWorld world, FaultSpec spec, TimeSpan length)
    {
        var left = world.Workers.Where(worker => !worker.Gone).ToArray();
        if (left.Length < 2) return;
        var troubled = left.Where(worker => world.Facts.CircuitOf(worker.Node.Name) != KernelEvent.CircuitClosed).ToArray();
        var worker = world.Draws.Of(troubled.Length > 0 && world.Draws.Chance(0.7) ? troubled : left);
        worker.Gone = true;
        world.Callers[0].Terminate(worker.Node.Name);
        if (!world.Draws.Chance(0.5)) return;
        await world.Delay(world.Draws.Between(TimeSpan.FromMilliseconds(200), TimeSpan.FromSeconds(2)));
        world.Hold(worker, world.Draws.Of(Holds));
    }

    private static readonly CircuitHold[] Holds = [CircuitHold.Open, CircuitHold.Closed, CircuitHold.None];
}

internal sealed class KeyChangeFault : IFault
{
    public string Name => "key-change";

    public string Says => "A Worker comes back with another key for a while: its id is not its own then.";

    public FaultKeys Keys => FaultKeys.Lasting;

    public async Task StrikeAsync(SimWorld world, FaultSpec spec, TimeSpan length)
    {
        var worker = world.Draws.Of(world.Workers);
        if (!world.Facts.Workers.ContainsKey(worker.Node.Name)) return;
        worker.Node.Key = "key:stranger";
        world.CrashWorker(worker, TimeSpan.FromMilliseconds(50));
        await world.Delay(length);
        worker.Node.Key = "key:" + worker.Node.Name;
        if (world.FaultsOn) world.CrashWorker(worker, TimeSpan.FromMilliseconds(50));
    }
}

internal sealed class DeviceMoveFault : IFault
{
    public string Name => "device-move";

    public string Says => "A device is plugged in at another Worker; sometimes its old Worker does not come back for a while, so that the device may move.";

    public FaultKeys Keys { get; } = new() { For = new FaultKey("for", "How long its old Worker stays away, where it does."), Nasty = new FaultKey("oldWorkerLeaves", "How likely its old Worker stays away for a while.") };

    public async Task StrikeAsync(SimWorld world, FaultSpec spec, TimeSpan length)
    {
        var from = world.Draws.Of(world.Workers);
        var to = world.Draws.Of(world.Workers);
        if (from == to || from.DeviceIds.Count == 0) return;
        world.MoveDevice(world.Draws.Of(from.DeviceIds), from, to);
        if (world.Draws.Chance(spec.Nasty.Min))
        {
            await world.Delay(TimeSpan.FromMilliseconds(60));
            world.CrashWorker(from, length);
        }
    }
}

internal sealed class ByzantineFault : IFault
{
    public string Name => "byzantine";

    public string Says => "A fraction of the Workers no longer keeps the protocol: unasked requests, answers twice, late or never, garbage, other Workers' ids and devices.";

    public FaultKeys Keys { get; } = new() { Fraction = new FaultKey("fraction", "How likely each Worker is struck."), Nasty = new FaultKey("malice", "How often it breaks the protocol: 0 now and then, 1 all the time.") };

    public Task StrikeAsync(SimWorld world, FaultSpec spec, TimeSpan length)
    {
        foreach (var worker in world.Workers)
        {
            if (!world.Draws.Chance(spec.Fraction.Min)) continue;
            worker.Mischief = new Mischief(0.02 + (0.2 * spec.Nasty.Min), garbles: world.Draws.Chance(0.2));
            world.CrashWorker(worker, TimeSpan.FromMilliseconds(20));
        }

        return Task.CompletedTask;
    }
}
