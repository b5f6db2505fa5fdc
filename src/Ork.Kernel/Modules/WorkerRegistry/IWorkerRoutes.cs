using Ork.Protocol;

namespace Ork.Kernel;

/// <summary>What the Worker Registry offers: who is there, and which Worker owns which device.</summary>
internal interface IWorkerRoutes
{
    /// <summary>Every Worker, in the order of their ids.</summary>
    IReadOnlyList<WorkerEntry> Workers { get; }

    /// <summary>Where in <see cref="Workers"/> the first stands whose id comes after one.</summary>
    int IndexAfter(string workerId);

    /// <summary>The Worker of this id, or null.</summary>
    WorkerEntry? FindWorker(string workerId);

    /// <summary>The device of this id, or null where no Worker owns one.</summary>
    DeviceEntry? FindDevice(string deviceId);

    /// <summary>The device an envelope names, or null.</summary>
    DeviceEntry? FindDevice(Utf8Text deviceId);
}

/// <summary>Hears what happens to Workers. The kernel's composition passes it on to the modules that care.</summary>
internal interface IWorkerEvents
{
    /// <summary>A Worker is known: it is to be probed from now on.</summary>
    void WorkerKnown(WorkerEntry worker, Turn turn);

    /// <summary>A Worker has a new link and, for the first time on it, a place among the registrations under way.</summary>
    void WorkerLinked(WorkerEntry worker, Turn turn);

    /// <summary>A Worker's journal does not know what it was sent before.</summary>
    void JournalReplaced(WorkerEntry worker, Turn turn);

    /// <summary>A Worker is registered.</summary>
    void WorkerReady(WorkerEntry worker, Turn turn);

    /// <summary>A Worker's link is gone and what was outstanding on it has been told.</summary>
    void WorkerUnlinked(WorkerEntry worker, Turn turn);

    /// <summary>A Worker was terminated.</summary>
    void WorkerTerminated(WorkerEntry worker, Turn turn);

    /// <summary>Devices left a Worker: they have another owner now, or none.</summary>
    void DevicesLeft(WorkerEntry formerOwner, Turn turn);

    /// <summary>True where the Worker is dead, so that another may take its devices.</summary>
    bool IsDead(WorkerEntry worker);
}
