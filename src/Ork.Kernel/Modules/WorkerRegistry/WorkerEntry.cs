using Ork.Protocol;

namespace Ork.Kernel;

/// <summary>A Worker the registry knows.</summary>
internal sealed class WorkerEntry(string workerId, string peerKey)
{
    internal WorkerState State;

    internal string WorkerId { get; } = workerId;

    /// <summary>The id as it goes into envelopes.</summary>
    internal Utf8Text WireId { get; } = Utf8Text.From(workerId);

    /// <summary>The key the id is bound to since its first use.</summary>
    internal string PeerKey { get; } = peerKey;

    internal string Endpoint { get; set; } = "";

    internal IReadOnlyList<string> Features { get; set; } = [];

    internal bool HasJournal => Features.Contains(IdentityPayload.JournalFeature);

    /// <summary>The opening of its journal that is relied on; empty where it told none.</summary>
    internal string Journal { get; set; } = "";

    /// <summary>The contract last pulled, this link's or an earlier one's.</summary>
    internal WorkerContract? Contract { get; set; }

    /// <summary>The devices it owns, in the order they were claimed.</summary>
    internal List<DeviceEntry> Devices { get; } = [];

    /// <summary>Devices it claims and another live Worker owns; claimed again at each state pull.</summary>
    internal HashSet<string> RefusedClaims { get; } = new(StringComparer.Ordinal);

    /// <summary>How an operator holds its circuit.</summary>
    internal CircuitHold Hold { get; set; }

    internal WorkerLink? Link { get; set; }

    /// <summary>How many of its links in a row have taken the place of one that was up.</summary>
    internal int Replacements { get; set; }

    /// <summary>True while it is being registered.</summary>
    internal bool Registering { get; set; }

    /// <summary>True while its registration counts among those under way.</summary>
    internal bool HoldsPlace { get; set; }

    /// <summary>True while it waits for its turn to be registered; it keeps that when it comes back on another link.</summary>
    internal bool WaitsToRegister { get; set; }

    /// <summary>Failed tries of its registration in a row.</summary>
    internal int FailedTries { get; set; }

    /// <summary>While it is being registered, until it no longer holds a place; between tries, until the next.</summary>
    internal WheelTimer? RegistrationTimer { get; set; }

    /// <summary>What the store holds of it, to spare writing it again.</summary>
    internal WorkerRow? Stored { get; set; }

    /// <summary>Known and answering, as far as the registry can tell.</summary>
    internal bool IsLinkedAndReady => State == WorkerState.Ready && Link is not null;
}

/// <summary>A device and the one Worker that owns it.</summary>
internal sealed class DeviceEntry(string deviceId, WorkerEntry owner)
{
    internal string DeviceId { get; } = deviceId;

    internal WorkerEntry Owner { get; set; } = owner;

    /// <summary>The state last pulled, as JSON; empty where none was.</summary>
    internal byte[] State { get; set; } = [];
}
