namespace OrkSim;

internal sealed class WallJumpFault : IFault
{
    public string Name => "wall-jump";

    public string Says => "A node's wall clock jumps, forwards or back, by seconds or by hours.";

    public FaultKeys Keys { get; } = new() { Nasty = new FaultKey("hours", "How likely it jumps by hours, instead of by seconds.") };

    public Task StrikeAsync(SimWorld world, FaultSpec spec, TimeSpan length)
    {
        var nodes = world.Nodes.Where(node => node.Kind is NodeKind.Kernel or NodeKind.Worker).ToArray();
        var node = world.Draws.Pick(DrawKind.Pick, 2) == 0 ? world.KernelNode : world.Draws.Of(nodes);
        var by = world.Draws.Chance(spec.Nasty.Min) ? TimeSpan.FromHours(world.Draws.Between(1, 30)) : TimeSpan.FromMilliseconds(world.Draws.Between(1, 30_000));
        world.JumpWallClock(node, world.Draws.Pick(DrawKind.Pick, 2) == 0 ? by : -by);
        return Task.CompletedTask;
    }
}

internal sealed class LateTimersFault : IFault
{
    public string Name => "late-timers";

    public string Says => "Timers fire late for a while, by up to a second.";

    public FaultKeys Keys { get; } = new() { For = new FaultKey("for", "How long it lasts."), Nasty = new FaultKey("lateness", "How late: 0 for 50 ms, 1 for a second.") };

    public async Task StrikeAsync(SimWorld world, FaultSpec spec, TimeSpan length)
    {
        world.LateTimers(TimeSpan.FromMilliseconds(50 + (950 * spec.Nasty.Min)));
        await world.Delay(length);
        world.LateTimers(TimeSpan.Zero);
    }
}
