using Ork.Protocol;

namespace OrkSim;

/// <summary>How long attempts may take in a world, over all commands of its Workers: as their contracts have it, or its kernel where they name no time.</summary>
internal sealed class AttemptTimes(SimWorld world)
{
    private long _leastMs = long.MaxValue;
    private long _mostMs;
    private bool _isLeftOpen;

    /// <summary>The shortest time that a kernel gives an attempt.</summary>
    internal TimeSpan Shortest => TimeSpan.FromMilliseconds(_isLeftOpen || _mostMs == 0 ? Math.Min(_leastMs, UnnamedMs) : _leastMs);

    /// <summary>The longest.</summary>
    internal TimeSpan Longest => TimeSpan.FromMilliseconds(_isLeftOpen || _mostMs == 0 ? Math.Max(_mostMs, UnnamedMs) : _mostMs);

    private long UnnamedMs => world.KernelOptions.Commands.AttemptTimeoutMs;

    /// <summary>A Worker has this contract, from its present life on.</summary>
    internal void Learn(WorkerContract contract)
    {
        foreach (var command in contract.Commands.Values)
        {
            if (command.TimeoutMs is not { } ms)
            {
                _isLeftOpen = true;
                continue;
            }

            _leastMs = Math.Min(_leastMs, ms);
            _mostMs = Math.Max(_mostMs, ms);
        }
    }
}
