namespace OrkSim;

internal sealed class KernelCrashFault : IFault
{
    public string Name => "kernel-crash";

    public string Says => "The kernel's process dies, or its machine with it; its commit in flight is lost or kept.";

    public FaultKeys Keys { get; } = new() { For = new FaultKey("downFor", "How long until it is started again."), Nasty = new FaultKey("silent", "How likely its machine dies with it, so that nobody is told.") };

    public Task StrikeAsync(SimWorld world, FaultSpec spec, TimeSpan length)
    {
        var keep = world.Draws.Pick(DrawKind.Pick, 2) == 1;
        world.CrashKernel(length, world.Draws.Chance(spec.Nasty.Min), keep);
        return Task.CompletedTask;
    }
}

internal sealed class KernelStopFault : IFault
{
    public string Name => "kernel-stop";

    public string Says => "An operator stops the kernel gracefully and starts it again.";

    public FaultKeys Keys => FaultKeys.None;

    public Task StrikeAsync(SimWorld world, FaultSpec spec, TimeSpan length)
    {
        world.StopKernel();
        return Task.CompletedTask;
    }
}

internal sealed class KernelFreezeFault : IFault
{
    public string Name => "kernel-freeze";

    public string Says => "The kernel stops in its tracks, then goes on as if nothing had been.";

    public FaultKeys Keys => FaultKeys.Lasting;

    public async Task StrikeAsync(SimWorld world, FaultSpec spec, TimeSpan length)
    {
        var node = world.KernelNode;
        world.Freeze(node);
        await world.Delay(length);
        world.Thaw(node);
    }
}

internal sealed class TwoKernelsFault : IFault
{
    public string Name => "two-kernels";

    public string Says => "A second kernel takes store and addresses while the first lives on and what it said is still on its way.";

    public FaultKeys Keys { get; } = new() { For = new FaultKey("for", "How long the first goes on beside the second."), Nasty = new FaultKey("cutOff", "How likely the first is cut off from its Workers before.") };

    public async Task StrikeAsync(SimWorld world, FaultSpec spec, TimeSpan length)
    {
        var stale = world.KernelNode;
        var cut = world.Draws.Chance(spec.Nasty.Min);
        if (cut)
        {
            foreach (var worker in world.Workers) world.Partition(stale, worker.Node, oneWay: true);
            await world.Delay(TimeSpan.FromMilliseconds(300));
        }

        if (!world.FaultsOn) return;
        world.TakeOver(keepCommit: world.Draws.Pick(DrawKind.Pick, 2) == 1);
        await world.Delay(length);
        foreach (var worker in world.Workers) world.Rejoin(stale, worker.Node);
        await world.Delay(TimeSpan.FromSeconds(2));
        if (world.Draws.Pick(DrawKind.Pick, 2) == 1) world.KillStaleKernel();
    }
}
