namespace OrkSim;

internal sealed class StormFault : IFault
{
    public string Name => "storm";

    public string Says => "Every link of a fraction of the Workers is lost at once; they all come back together.";

    public FaultKeys Keys { get; } = new() { Fraction = new FaultKey("fraction", "How likely each link is lost.") };

    public Task StrikeAsync(SimWorld world, FaultSpec spec, TimeSpan length)
    {
        world.Storm(spec.Fraction.Min);
        return Task.CompletedTask;
    }
}

internal sealed class LinkResetFault : IFault
{
    public string Name => "link-reset";

    public string Says => "One link, of a Worker or a caller, is reset in the middle of whatever it carries.";

    public FaultKeys Keys => FaultKeys.None;

    public Task StrikeAsync(SimWorld world, FaultSpec spec, TimeSpan length)
    {
        var links = world.KernelNode.Connections;
        if (links.Count > 0) world.Draws.Of(links).Reset();
        return Task.CompletedTask;
    }
}

internal sealed class PartitionFault : IFault
{
    public string Name => "partition";

    public string Says => "The kernel and one node no longer hear each other, or only one way; what they said arrives late, or the link is reset.";

    public FaultKeys Keys { get; } = new() { For = new FaultKey("for", "How long it lasts."), Nasty = new FaultKey("reset", "How likely the links are reset at its end, instead of delivering late.") };

    public async Task StrikeAsync(SimWorld world, FaultSpec spec, TimeSpan length)
    {
        var others = world.Nodes.Where(node => node.Kind is NodeKind.Worker or NodeKind.Caller).ToArray();
        var kernel = world.KernelNode;
        var other = world.Draws.Of(others);
        var oneWay = world.Draws.Pick(DrawKind.Pick, 3);
        if (oneWay == 1) world.Partition(kernel, other, oneWay: true);
        else if (oneWay == 2) world.Partition(other, kernel, oneWay: true);
        else world.Partition(kernel, other);
        await world.Delay(length);
        if (world.FaultsOn && world.Draws.Chance(spec.Nasty.Min))
        {
            foreach (var link in other.Connections.Where(link => link.Other.Owner == kernel).ToArray()) link.Reset();
        }

        world.Rejoin(kernel, other);
    }
}

internal sealed class RefuseDialsFault : IFault
{
    public string Name => "refuse-dials";

    public string Says => "Connecting is refused for a while, as often as the fraction says.";

    public FaultKeys Keys { get; } = new() { For = new FaultKey("for", "How long it lasts."), Fraction = new FaultKey("fraction", "How likely each attempt is refused.") };

    public async Task StrikeAsync(SimWorld world, FaultSpec spec, TimeSpan length)
    {
        world.Network.RefuseDials = spec.Fraction.Min;
        await world.Delay(length);
        world.Network.RefuseDials = 0;
    }
}
