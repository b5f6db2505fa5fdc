using Ork;

[assembly: OrkRole(OrkRole.Kernel)]
