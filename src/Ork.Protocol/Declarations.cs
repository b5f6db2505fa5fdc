namespace Ork;

/// <summary>What a method may do to the world, or learn of it, past the ports.</summary>
[Flags]
public enum OrkEffects
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>Reads the machine's clock.</summary>
    Clock = 1,

    /// <summary>Uses the network.</summary>
    Network = 2,

    /// <summary>Uses the disk, or the state of its process.</summary>
    Disk = 4,

    /// <summary>Starts an exchange with a kernel.</summary>
    DialsKernel = 8,

    /// <summary>Draws chance that no seed repeats.</summary>
    Chance = 16,
}

/// <summary>
/// What a public member of this assembly may do, all that it calls included. Written by the generator of Ork.Analyzers, and read by its rules where other assemblies
/// call the member: so a chain of calls that leaves a compilation is still followed.
/// </summary>
/// <param name="member">The member's documentation id, <c>M:Acme.Clock.Now</c> for one.</param>
/// <param name="effects">What it may do.</param>
[AttributeUsage(AttributeTargets.Assembly, AllowMultiple = true)]
public sealed class OrkEffectAttribute(string member, OrkEffects effects) : Attribute
{
    /// <summary>The member's documentation id.</summary>
    public string Member { get; } = member;

    /// <summary>What it may do.</summary>
    public OrkEffects Effects { get; } = effects;
}

/// <summary>
/// Effects that are by design here: the rules let them pass inside, and callers are not held to account for them. The reason is for the reader.
/// </summary>
/// <param name="effects">The effects.</param>
/// <param name="because">Why they are right here, and harm no caller.</param>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Struct | AttributeTargets.Method | AttributeTargets.Constructor | AttributeTargets.Property)]
public sealed class OrkAllowAttribute(OrkEffects effects, string because) : Attribute
{
    /// <summary>The effects.</summary>
    public OrkEffects Effects { get; } = effects;

    /// <summary>Why they are right here.</summary>
    public string Because { get; } = because;
}

/// <summary>
/// Stands on the states of a machine that are not stored, because a start finds them out anew. Transitions of all other machines must be recorded in the turn
/// that makes them before an effect may depend on them.
/// </summary>
/// <param name="because">How a start comes by the state again.</param>
[AttributeUsage(AttributeTargets.Enum)]
public sealed class OrkTransientAttribute(string because) : Attribute
{
    /// <summary>How a start comes by the state again.</summary>
    public string Because { get; } = because;
}

/// <summary>Stands on a state of a machine that no trigger is meant to leave.</summary>
[AttributeUsage(AttributeTargets.Field)]
public sealed class OrkTerminalAttribute : Attribute;

/// <summary>
/// Stands on a record that is stored or crosses the wire. Its form has a version, so that one written by an older kernel is read for what it is, and somebody who reads it.
/// </summary>
/// <param name="version">The version of its form, from 1. A change that an older reader cannot read raises it.</param>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Struct)]
public sealed class OrkRecordAttribute(int version) : Attribute
{
    /// <summary>The version of its form.</summary>
    public int Version { get; } = version;

    /// <summary>Who reads it, where that is in another assembly; null where this one has its reader.</summary>
    public string? ReadBy { get; init; }
}
