using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Operations;
using Ork.Analyzers.Apis;

namespace Ork.Analyzers.Effects;

/// <summary>What starts an exchange with a kernel: dialling it, sending a Request on a link, or the callers' SDK.</summary>
internal static class Exchanges
{
    /// <summary>The callers' SDK: its assembly, and the namespace of its types.</summary>
    internal const string Client = "Ork.Client";

    /// <summary>The number of <c>FrameKind.Request</c> is asked of the enum itself.</summary>
    internal const string FrameKind = "FrameKind";

    internal static bool Starts(IOperation operation, ISymbol member) =>
        IsClient(member) || Dials(member) || (operation is IInvocationOperation call && KindOf(call) is { } kind && IsRequest(kind));

    /// <summary>A member of the callers' SDK that does something.</summary>
    private static bool IsClient(ISymbol member) =>
        member.ContainingType is { IsRecord: false, TypeKind: TypeKind.Class or TypeKind.Struct or TypeKind.Interface } type && member is IMethodSymbol
        && (type.ContainingNamespace?.ToDisplayString() is { } space && (space == Client || space.StartsWith(Client + ".", StringComparison.Ordinal)))
        && !type.AllInterfaces.Any(of => of.Name == "_Exception") && !IsException(type);

    private static bool Dials(ISymbol member) => member is IMethodSymbol { Name: "ConnectAsync", ContainingType: { } type }
        && (IsNetwork(type) || type.AllInterfaces.Any(IsNetwork));

    /// <summary>The kind that a send on a link, a session or a batch of effects is given; null where a call is no send.</summary>
    internal static IOperation? KindOf(IInvocationOperation call) =>
        call.TargetMethod.Name == "Send" && IsLink(call.TargetMethod.ContainingType)
            ? call.Arguments.FirstOrDefault(argument => Uses.IsNamed(argument.Parameter?.Type, FrameKind))?.Value : null;

    internal static bool IsRequest(IOperation kind)
    {
        kind = Uses.Unwrap(kind);
        if (kind is IConditionalOperation choice) return IsRequest(choice.WhenTrue) || (choice.WhenFalse is { } otherwise && IsRequest(otherwise));
        if (kind is ISwitchExpressionOperation arms) return arms.Arms.Any(arm => IsRequest(arm.Value));
        if (kind is ILocalReferenceOperation { Local: var local })
        {
            return kind.Root().Descendants().Any(at => at switch
            {
                IVariableDeclaratorOperation declarator => SymbolEqualityComparer.Default.Equals(declarator.Symbol, local)
                    && declarator.GetVariableInitializer() is { } initializer
                    && Uses.Unwrap(initializer.Value) is not ILocalReferenceOperation && IsRequest(initializer.Value),
                ISimpleAssignmentOperation { Target: ILocalReferenceOperation target } assignment => SymbolEqualityComparer.Default.Equals(target.Local, local)
                    && Uses.Unwrap(assignment.Value) is not ILocalReferenceOperation && IsRequest(assignment.Value),
                _ => false,
            });
        }

        if (kind is IFieldReferenceOperation { Field: { IsConst: false, IsReadOnly: true } field })
            return field.DeclaringSyntaxReferences.Any(reference => reference.GetSyntax().ToString().EndsWith(".Request", StringComparison.Ordinal));
        return kind is { Type: INamedTypeSymbol { Name: FrameKind } type, ConstantValue: { HasValue: true, Value: { } value } }
            && type.GetMembers("Request").OfType<IFieldSymbol>().Any(request => Equals(request.ConstantValue, value));
    }

    private static bool IsNetwork(ITypeSymbol type) => type is { Name: "INetwork", ContainingNamespace: { Name: "Protocol", ContainingNamespace.Name: "Ork" } };

    internal static bool IsConnection(ITypeSymbol type) => type is { Name: "IConnection", ContainingNamespace: { Name: "Protocol", ContainingNamespace.Name: "Ork" } };

    private static bool IsLink(ITypeSymbol type) => IsConnection(type) || type.AllInterfaces.Any(IsConnection)
        || type is { Name: "ISession" or "EffectBatch", ContainingNamespace: { Name: "Kernel", ContainingNamespace.Name: "Ork" } }
        || type.AllInterfaces.Any(of => of is { Name: "ISession", ContainingNamespace: { Name: "Kernel" } });

    private static bool IsException(ITypeSymbol type)
    {
        for (var at = type; at is not null; at = at.BaseType)
        {
            if (at is { Name: "Exception", ContainingNamespace.Name: "System" }) return true;
        }

        return false;
    }
}
