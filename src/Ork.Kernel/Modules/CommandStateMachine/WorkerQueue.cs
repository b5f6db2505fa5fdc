namespace Ork.Kernel;

/// <summary>The commands of one Worker: how many are open and in flight, and which are held back.</summary>
internal sealed class WorkerQueue(int window)
{
    private readonly LinkedList<Command> _heldBack = new();
    private readonly int _window = window;
    private int _takenSince;

    /// <summary>Commands not settled.</summary>
    internal HashSet<Command> Open { get; } = [];

    /// <summary>Commands assigned or sent; never above the window (S12).</summary>
    internal int InFlight { get; set; }

    /// <summary>How many the Worker seems to have places for: the window, until it says that it has no place. From 1.</summary>
    internal int Places { get; private set; } = window;

    /// <summary>True while one more may be assigned.</summary>
    internal bool HasPlace => InFlight < Places && Rest is not { IsSet: true };

    /// <summary>How often in a row the Worker had no place though it was at nothing, and carried nothing out in between.</summary>
    internal int TimesBusy { get; private set; }

    /// <summary>Set while a Worker is left alone that has no place although it is at nothing that the kernel knows of.</summary>
    internal WheelTimer? Rest { get; set; }

    /// <summary>The first command assigned but held back while the link is congested, or null.</summary>
    internal Command? FirstHeldBack => _heldBack.First?.Value;

    /// <summary>The Worker had no place for one: those that it is at now are as many as it takes.</summary>
    internal void Refused()
    {
        Places = Math.Clamp(InFlight, 1, Places);
        if (InFlight == 0) TimesBusy++;
        _takenSince = 0;
    }

    /// <summary>The Worker carried one out. After as many as it was thought to have places for, it is tried with a quarter more.</summary>
    internal void Taken()
    {
        TimesBusy = 0;
        if (Places == _window || ++_takenSince < Places) return;
        Places = Math.Min(_window, Places + Math.Max(1, Places / 4));
        _takenSince = 0;
    }

    /// <summary>The Worker registers: it may be another one than it was.</summary>
    internal void Reopen()
    {
        (Places, TimesBusy) = (_window, 0);
        if (Rest is { } rest) TimerWheel.Cancel(rest);
    }

    internal void HoldBack(Command command) => command.HeldBackPlace = _heldBack.AddLast(command);

    /// <summary>The command is held back no longer, if it was.</summary>
    internal static void LetGo(Command command)
    {
        if (command.HeldBackPlace is { } place) place.List!.Remove(place);
        command.HeldBackPlace = null;
    }
}
