using Ork.Protocol;

namespace OrkSim;

/// <summary>What a node is.</summary>
public enum NodeKind
{
    /// <summary>The world itself: faults, checks.</summary>
    World,

    /// <summary>A kernel.</summary>
    Kernel,

    /// <summary>A Worker.</summary>
    Worker,

    /// <summary>A caller.</summary>
    Caller,
}

/// <summary>
/// One machine of the world. It may crash and start again; each start is a new life, and nothing of an earlier life ever runs again.
/// </summary>
public sealed class SimNode
{
    internal SimNode(SimWorld world, int id, string name, NodeKind kind)
    {
        World = world;
        Id = id;
        Name = name;
        Kind = kind;
        Key = "key:" + name;
        Site = SiteOf(name);
        Clock = new NodeClock(this);
        Context = new NodeContext(this);
        Entropy = new SimEntropy(0);
    }

    /// <summary>Its number, from 0.</summary>
    public int Id { get; }

    /// <summary>Where its decisions are drawn: a number of its name, so that it is the same in a world with fewer others.</summary>
    internal int Site { get; }

    /// <summary>The site of a name.</summary>
    internal static int SiteOf(string name) => (int)System.IO.Hashing.XxHash32.HashToUInt32(System.Text.Encoding.UTF8.GetBytes(name)) | 1;

    /// <summary>Its name.</summary>
    public string Name { get; }

    /// <summary>What it is.</summary>
    public NodeKind Kind { get; }

    /// <summary>The world it is in.</summary>
    public SimWorld World { get; }

    /// <summary>The key it proves itself with.</summary>
    public string Key { get; internal set; }

    /// <summary>True between a start and a crash.</summary>
    public bool IsUp { get; private set; }

    /// <summary>True while it is stopped in its tracks.</summary>
    public bool Frozen { get; private set; }

    /// <summary>Its clock.</summary>
    public TimeProvider Clock { get; }

    /// <summary>How far its wall clock is off.</summary>
    public TimeSpan WallOffset { get; private set; }

    /// <summary>Its own chance: ids and jitter.</summary>
    public IEntropy Entropy { get; private set; }

    internal int Life { get; private set; }

    internal NodeContext Context { get; private set; }

    internal List<SimScheduler.Ready> Parked { get; } = [];

    internal List<SimConnection> Connections { get; } = [];

    /// <summary>Its attempts to connect that are under way, with when they began.</summary>
    internal List<(object Dial, LinkEndpoint To, long Ticks)> Dials { get; } = [];

    /// <summary>When it last began a life, or went on after having been frozen.</summary>
    internal long AwakeTicks { get; private set; }

    /// <summary>Since when it has been told to stop, in its present life, or null.</summary>
    internal long? StopTicks { get; set; }

    private readonly List<(long Ticks, DateTimeOffset Read)> _readBeforeJumps = [];

    /// <summary>Sets how far the wall clock is off.</summary>
    internal void SetWallOffset(TimeSpan offset)
    {
        if (offset == WallOffset) return;
        _readBeforeJumps.Add((World.Scheduler.NowTicks, Clock.GetUtcNow()));
        WallOffset = offset;
    }

    /// <summary>The latest time its wall clock has shown since then, jumps back included.</summary>
    internal DateTimeOffset LatestUtcSince(long ticks)
    {
        var latest = Clock.GetUtcNow();
        foreach (var jump in _readBeforeJumps)
        {
            if (jump.Ticks >= ticks && jump.Read > latest) latest = jump.Read;
        }

        return latest;
    }

    /// <summary>Begins a life.</summary>
    internal void Start()
    {
        IsUp = true;
        Life++;
        Dials.Clear();
        AwakeTicks = World.Scheduler.NowTicks;
        StopTicks = null;
        Context = new NodeContext(this);

        // Even where the draws are all the same, no two lives make the same ids.
        Entropy = new SimEntropy((uint)World.Draws.Pick(DrawKind.Seed, int.MaxValue) | ((ulong)(uint)Id << 48) | ((ulong)(uint)Life << 32));
    }

    /// <summary>Ends a life: nothing of it runs any more.</summary>
    internal void End()
    {
        IsUp = false;
        Frozen = false;
        Life++;
        Parked.Clear();
    }

    internal void Freeze()
    {
        if (Frozen || !IsUp) return;
        Frozen = true;
        World.Scheduler.Park(this);
    }

    internal void Thaw()
    {
        if (!Frozen) return;
        Frozen = false;
        AwakeTicks = World.Scheduler.NowTicks;
        World.Scheduler.Unpark(this);
    }

    /// <summary>Runs something on the node, as its own step.</summary>
    internal void Run(Action action) => World.Scheduler.Post(this, static state => ((Action)state!)(), action);

    /// <summary>Begins something on the node that goes on by itself. What it throws ends the run.</summary>
    internal void Launch(Func<Task> main) => Run(() => World.Observe(this, main()));

    /// <inheritdoc/>
    public override string ToString() => Name;
}

/// <summary>Brings the continuations of a node's life back to the scheduler.</summary>
internal sealed class NodeContext(SimNode node) : SynchronizationContext
{
    private readonly int _life = node.Life;

    /// <inheritdoc/>
    public override void Post(SendOrPostCallback d, object? state)
    {
        if (_life == node.Life) node.World.Scheduler.Post(node, d, state);
    }

    /// <inheritdoc/>
    public override void Send(SendOrPostCallback d, object? state) => d(state);

    /// <inheritdoc/>
    public override SynchronizationContext CreateCopy() => this;
}

/// <summary>A node's own chance, started by one draw: ids need not be decisions of their own.</summary>
/// <param name="seed">Where it starts.</param>
public sealed class SimEntropy(ulong seed) : IEntropy
{
    private ulong _state = seed;

    /// <inheritdoc/>
    public ulong NextBits() => SplitMix.Next(ref _state);
}
