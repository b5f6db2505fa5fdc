namespace Ork;

/// <summary>What an assembly is allowed to do. The analyzers apply their rules by role.</summary>
public enum OrkRole
{
    /// <summary>Deterministic kernel code: no clock, randomness, I/O or threads of its own.</summary>
    Kernel,

    /// <summary>Code that answers the kernel for a family of devices. It never starts an exchange.</summary>
    Worker,

    /// <summary>Code that asks the kernel for something.</summary>
    Caller,

    /// <summary>Code that exists to test the others.</summary>
    Simulation,

    /// <summary>Code that touches the real world for the others: sockets, disks, terminals, processes.</summary>
    Edge,
}

/// <summary>
/// States the role of the assembly it stands on, or of a type in it that has another: the <c>Program</c> that puts real sockets and clocks together is
/// <see cref="OrkRole.Edge"/> in an assembly of any role.
/// </summary>
/// <param name="role">The role whose rules its code keeps.</param>
[AttributeUsage(AttributeTargets.Assembly | AttributeTargets.Class | AttributeTargets.Struct | AttributeTargets.Interface)]
public sealed class OrkRoleAttribute(OrkRole role) : Attribute
{
    /// <summary>The role whose rules its code keeps.</summary>
    public OrkRole Role { get; } = role;
}
