using Ork.Protocol;

namespace Ork.Kernel;

/// <summary>What can happen to the kernel.</summary>
internal enum InputKind
{
    /// <summary>A caller asks.</summary>
    CallerRequest,

    /// <summary>A caller's link ended.</summary>
    CallerGone,

    /// <summary>A Worker's link is up and greeted.</summary>
    LinkUp,

    /// <summary>A Worker's link ended.</summary>
    LinkDown,

    /// <summary>A Worker answers an outstanding request.</summary>
    WorkerAnswer,

    /// <summary>A Worker's link cannot take more output for now.</summary>
    LinkCongested,

    /// <summary>A congested link can take output again.</summary>
    LinkDrained,

    /// <summary>A dial failed.</summary>
    DialFailed,

    /// <summary>Discovery's latest word.</summary>
    Discovered,

    /// <summary>The commit in flight ended.</summary>
    CommitEnded,

    /// <summary>Time has come for a timer.</summary>
    Tick,

    /// <summary>Somebody watches whether turns are taken.</summary>
    Pulse,

    /// <summary>The kernel shall stop.</summary>
    Stop,
}

/// <summary>One thing that happened.</summary>
/// <param name="Kind">What.</param>
/// <param name="Session">The session it happened on, 0 where on none.</param>
/// <param name="Frame">The frame, where one came. Its buffer belongs to the turn that takes the input.</param>
/// <param name="Detail">What else belongs to it, by kind.</param>
internal readonly record struct Input(InputKind Kind, long Session = 0, ReceivedFrame Frame = default, object? Detail = null);

/// <summary>Who is behind a Worker's new link.</summary>
/// <param name="WorkerId">The id from its greeting.</param>
/// <param name="Peer">What the transport proved.</param>
/// <param name="Target">The target that was dialled, or null where the Worker announced itself.</param>
internal sealed record LinkGreeting(string WorkerId, PeerIdentity Peer, DialTarget? Target);
