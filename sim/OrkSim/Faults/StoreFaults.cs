namespace OrkSim;

internal sealed class StoreStallFault : IFault
{
    public string Name => "store-stall";

    public string Says => "Commits neither succeed nor fail for a while.";

    public FaultKeys Keys => FaultKeys.Lasting;

    public async Task StrikeAsync(SimWorld world, FaultSpec spec, TimeSpan length)
    {
        world.StallStore();
        await world.Delay(length);
        world.ResumeStore();
    }
}

internal sealed class CommitFailsFault : IFault
{
    public string Name => "commit-fails";

    public string Says => "The next commit fails and nothing of it is durable.";

    public FaultKeys Keys => FaultKeys.None;

    public Task StrikeAsync(SimWorld world, FaultSpec spec, TimeSpan length)
    {
        world.FailNextCommit(CommitFault.BeforeApply);
        return Task.CompletedTask;
    }
}

internal sealed class CommitUnknownFault : IFault
{
    public string Name => "commit-unknown";

    public string Says => "The next commit fails although all of it is durable.";

    public FaultKeys Keys => FaultKeys.None;

    public Task StrikeAsync(SimWorld world, FaultSpec spec, TimeSpan length)
    {
        world.FailNextCommit(CommitFault.AfterApply);
        return Task.CompletedTask;
    }
}

internal sealed class DiskFullFault : IFault
{
    public string Name => "disk-full";

    public string Says => "Nothing can be written for a while, and the store cannot be opened.";

    public FaultKeys Keys => FaultKeys.Lasting;

    public async Task StrikeAsync(SimWorld world, FaultSpec spec, TimeSpan length)
    {
        world.FillDisk(true);
        await world.Delay(length);
        world.FillDisk(false);
    }
}

internal sealed class StoreDamagedFault : IFault
{
    public string Name => "store-damaged";

    public string Says => "The kernel crashes and finds its store damaged: it must refuse to open it, until an operator has brought it back.";

    public FaultKeys Keys { get; } = new() { For = new FaultKey("for", "How long until it is brought back.") };

    public async Task StrikeAsync(SimWorld world, FaultSpec spec, TimeSpan length)
    {
        world.DamageStore(true);
        world.CrashKernel(TimeSpan.FromMilliseconds(20));
        await world.Delay(length);
        world.DamageStore(false);
    }
}
